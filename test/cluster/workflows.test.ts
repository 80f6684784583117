import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type JsonMap, list, map, text } from '../../cluster/check/manifest.ts';

const FOLDER = new URL('../../.github/workflows/', import.meta.url);
const ROOT = new URL('../../', import.meta.url);
const KEYS = ['name', 'on', 'permissions', 'concurrency', 'jobs'];
const JOB_KEYS = ['runs-on', 'timeout-minutes', 'strategy', 'steps'];
const STEP_KEYS = ['name', 'id', 'uses', 'with', 'run', 'env'];

describe.each(readdirSync(FOLDER))('the workflow %s', (name) => {
  const source = readFileSync(new URL(name, FOLDER), 'utf8');
  const workflow = map(parse(source) as JsonMap);
  const jobs = Object.values(map(workflow.jobs)).map(map);
  const steps = jobs.flatMap((job) => list(job.steps).map(map));

  test('has only fields that GitHub knows, a bound in time and rights by name', () => {
    expect(Object.keys(workflow).filter((key) => !KEYS.includes(key))).toEqual([]);
    expect(jobs.flatMap(Object.keys).filter((key) => !JOB_KEYS.includes(key))).toEqual([]);
    expect(steps.flatMap(Object.keys).filter((key) => !STEP_KEYS.includes(key))).toEqual([]);
    expect(
      jobs.filter((job) => typeof job['timeout-minutes'] !== 'number' || job['runs-on'] !== 'ubuntu-24.04'),
    ).toEqual([]);
    expect(steps.filter((step) => (step.uses === undefined) === (step.run === undefined))).toEqual([]);
    expect(Object.keys(map(workflow.permissions)).length).toBeGreaterThan(0);
  });

  test('pins every action to a commit and says which version that is', () => {
    const uses = source.split('\n').filter((line) => line.includes('uses:'));
    expect(uses.length).toBeGreaterThan(0);
    expect(uses.filter((line) => !/uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  test('never puts what an event says into a script', () => {
    expect(steps.filter((step) => /\$\{\{\s*(github\.(event|head_ref|ref_name)|inputs)/.test(text(step.run)))).toEqual(
      [],
    );
  });
});

test('the paths that workflows and Renovate name are there', () => {
  const images = readFileSync(new URL('images.yaml', FOLDER), 'utf8');
  expect(images).toMatch(/file: cluster\/images\/\$\{\{ matrix\.name \}\}\/Dockerfile/);
  for (const path of ['blog', 'bridge'].map((name) => `cluster/images/${name}/Dockerfile`))
    expect(existsSync(new URL(path, ROOT))).toBe(true);
  for (const environment of ['dev', 'staging', 'prod'])
    expect(existsSync(new URL(`cluster/environments/${environment}/images/kustomization.yaml`, ROOT))).toBe(true);
  const renovate = map(JSON.parse(readFileSync(new URL('renovate.json', ROOT), 'utf8')) as JsonMap);
  const tracked = readdirSync(new URL('cluster/', ROOT), { recursive: true, encoding: 'utf8' }).map(
    (path) => `cluster/${path}`,
  );
  const patterns = [renovate.flux, renovate.kubernetes, renovate.kustomize, ...list(renovate.customManagers)]
    .flatMap((manager) => list(map(manager).managerFilePatterns))
    .map((pattern) => new RegExp(text(pattern).replace(/^\/|\/$/g, '')));
  expect(patterns.filter((pattern) => !tracked.some((path) => pattern.test(path)))).toEqual([]);
});
