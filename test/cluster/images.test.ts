import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { exampleValues } from '../../cluster/check/example-values.ts';
import { type Json, kindOf, map, nameOf, text } from '../../cluster/check/manifest.ts';
import { containers, podTemplate } from '../../cluster/check/pods.ts';
import { renderEnvironment } from '../../cluster/check/render.ts';
import { NODE_FLAGS } from '../support/bridge-process.ts';
import { get } from '../support/http.ts';
import { freePorts } from '../support/ports.ts';
import { poll } from '../support/program.ts';
import { type Built, build, parseDockerfile, sent } from './dockerfile.ts';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const dockerfile = (name: string): string => join(REPOSITORY, 'cluster/images', name, 'Dockerfile');

/** Stands for `npm ci --omit=dev`: the production packages of this installation, and no others. */
function install(folder: string, args: readonly string[]): void {
  expect(args.join(' ')).toBe('npm ci --omit=dev --ignore-scripts');
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  const packages = listed.trim().split('\n').slice(1);
  // A package inside of another one comes with it.
  for (const path of packages.filter((name) => name.split('/node_modules/').length === 2)) {
    const to = join(folder, relative(REPOSITORY, path));
    mkdirSync(dirname(to), { recursive: true });
    try {
      // Links cost nothing; where the temporary folder is on another disk, copies.
      execFileSync('cp', ['-al', path, to], { stdio: 'ignore' });
    } catch {
      rmSync(to, { recursive: true, force: true });
      execFileSync('cp', ['-a', path, to]);
    }
  }
}

/** What the Deployment of an environment sets, from its ConfigMap and the example values of its Secrets. */
async function environmentOf(name: string, environment: string): Promise<Record<string, string>> {
  const { objects } = await renderEnvironment(environment);
  const placed = objects.find((item) => kindOf(item) === 'Deployment' && nameOf(item) === name);
  const pod = placed === undefined ? undefined : podTemplate(placed);
  const spec = pod === undefined ? {} : (containers(pod)[0]?.spec ?? {});
  const from = (Array.isArray(spec.envFrom) ? spec.envFrom : []).map((source: Json) => {
    const config = text(map(map(source).configMapRef).name);
    if (config !== '') return map(objects.find((item) => nameOf(item) === config)?.object.data);
    return map(exampleValues[`web/${text(map(map(source).secretRef).name)}`]);
  });
  const direct = (Array.isArray(spec.env) ? spec.env : []).map((item: Json) => [text(map(item).name), map(item).value]);
  const all = Object.assign({}, ...from, Object.fromEntries(direct)) as Record<string, Json>;
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, text(value)]));
}

test('the bridge has the same heap wherever it is started, half of what its container may use', async () => {
  const flags = (args: readonly string[]) => args.slice(0, args.indexOf('bridge/main.ts'));
  const [image] = parseDockerfile(readFileSync(dockerfile('bridge'), 'utf8')).slice(-1);
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: { bridge: string };
  };
  const { objects } = await renderEnvironment('prod');
  const placed = objects.find((item) => kindOf(item) === 'Deployment' && nameOf(item) === 'bridge');
  const pod = placed === undefined ? undefined : podTemplate(placed);
  const spec = pod === undefined ? {} : (containers(pod)[0]?.spec ?? {});
  const args = Array.isArray(spec.args) ? spec.args.map(text) : [];
  expect(flags(args)).toEqual([expect.stringMatching(/^--max-old-space-size=\d+$/), '--max-semi-space-size=8']);
  expect(flags(image?.instructions.find((instruction) => instruction.name === 'CMD')?.args ?? [])).toEqual(flags(args));
  expect(flags(scripts.bridge.split(' ').slice(1))).toEqual(flags(args));
  expect(NODE_FLAGS).toEqual(flags(args));
  const limit = text(map(map(spec.resources).limits).memory);
  expect(`${2 * Number(args[0]?.split('=')[1])}Mi`).toBe(limit);
});

describe.each(['blog', 'bridge'])('the image of the %s', (name) => {
  const work = mkdtempSync(join(tmpdir(), 'porchlight-image-'));
  chmodSync(work, 0o755);
  let built: Built;
  afterAll(() => rmSync(work, { recursive: true, force: true }));

  test('has two stages by tag and digest, the last one without a shell, and is nobody', () => {
    const stages = parseDockerfile(readFileSync(dockerfile(name), 'utf8'));
    expect(stages.map(({ image }) => image)).toEqual([
      expect.stringMatching(/^docker\.io\/library\/node:24\.[\d.]+-bookworm-slim@sha256:[0-9a-f]{64}$/),
      expect.stringMatching(/^gcr\.io\/distroless\/nodejs24-debian12:nonroot@sha256:[0-9a-f]{64}$/),
    ]);
    const last = stages.at(-1)?.instructions ?? [];
    expect(last.filter((instruction) => instruction.name === 'RUN')).toEqual([]);
    expect(last.find((instruction) => instruction.name === 'USER')?.args).toEqual(['65532:65532']);
  });

  test('takes what it copies, and neither tests nor what belongs to others', () => {
    const ignore = readFileSync(`${dockerfile(name)}.dockerignore`, 'utf8');
    expect(
      [
        `${name}/main.ts`,
        'shared/tags.ts',
        'package.json',
        `${name}/config.test.ts`,
        'worker/a.ts',
        '.git/config',
        'cluster/gitops/sops/example.agekey',
      ].map((path) => sent(path, ignore)),
    ).toEqual([true, true, true, false, false, false, false]);
    built = build(dockerfile(name), REPOSITORY, work, install);
    expect(built.user).toBe('65532:65532');
  });

  test('starts from that tree alone, as nobody, with what the cluster gives it', async () => {
    const port = await freePorts();
    const data = join(work, 'data');
    mkdirSync(data);
    chmodSync(data, 0o777);
    const args = built.command.map((arg) => (arg === '/data' ? data : /^\d+$/.test(arg) ? String(port) : arg));
    const root = process.getuid?.() === 0;
    const started = performance.now();
    const program = spawn(process.execPath, args, {
      cwd: join(built.root, built.workdir),
      // Nobody reads here: the drain of the cluster would only be waited for.
      env: { ...(await environmentOf(name, 'dev')), HOST: '127.0.0.1', DRAIN_SECONDS: '0' },
      ...(root ? { uid: 65532, gid: 65532 } : {}),
    });
    let output = '';
    for (const stream of [program.stdout, program.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    let running = true;
    const ended = new Promise<number | null>((resolve) => program.once('exit', resolve)).finally(() => {
      running = false;
    });
    try {
      const up = await poll(
        async () => (await get(port, '/health', {}).catch(() => undefined))?.status === 200 || !running,
        60_000,
        25,
      );
      expect([up, running, output]).toEqual([true, true, output]);
      console.log(`${name}: answers ${Math.round(performance.now() - started)} ms after its start`);
    } finally {
      program.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });
});
