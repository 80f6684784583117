import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Placed } from '../../cluster/check/manifest.ts';
import { renderEnvironment } from '../../cluster/check/render.ts';
import { installed } from '../../cluster/check/tools.ts';
import { EDGE_TOKEN, type Edge, startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { freePorts } from '../support/ports.ts';
import { accepts, type Program, poll, startProgram } from '../support/program.ts';
import { startReceiver, writeStack } from './stack.ts';

const prometheus = installed('prometheus');
const alertmanager = installed('prometheus-alertmanager', 'alertmanager');
const exporter = installed('prometheus-blackbox-exporter', 'blackbox_exporter');
const ready = prometheus !== undefined && alertmanager !== undefined && exporter !== undefined;
if (!ready)
  console.log(
    'sight tests do not run: apt-get install prometheus prometheus-alertmanager prometheus-blackbox-exporter',
  );

/** Starts one of our programs and waits until it listens. */
async function startOurs(name: string, port: number, args: string[], env: Record<string, string>): Promise<Program> {
  const program = startProgram('node', [`${name}/main.ts`, '--port', String(port), ...args], { env });
  if (await poll(() => accepts(port), 30_000)) return program;
  await program.kill9();
  throw new Error(`the ${name} does not listen on ${port}: ${program.logs()}`);
}

// Vitest sets a BASE_URL of its own.
const startBlog = (port: number): Promise<Program> =>
  startOurs('blog', port, [], { BASE_URL: `http://127.0.0.1:${port}` });
interface Target {
  readonly health: string;
  readonly scrapePool: string;
  readonly lastError: string;
}

describe.runIf(ready)('the shipped monitoring sees the running system', () => {
  const folder = mkdtempSync(join(tmpdir(), 'porchlight-sight-'));
  const programs: Program[] = [];
  let objects: readonly Placed[];
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let edge: Edge;
  let edgePort: number;
  let blogPort: number;
  let bridgePort: number;
  let promPort: number;

  const start = (command: string | undefined, args: string[]): void => {
    programs.push(startProgram(command ?? '', args, { cwd: folder }));
  };
  const ask = async (path: string): Promise<unknown> =>
    JSON.parse((await get(promPort, path, { timeoutMs: 5000 })).body.toString());
  const targets = async (): Promise<Target[]> =>
    ((await ask('/api/v1/targets')) as { data: { activeTargets: Target[] } }).data.activeTargets;
  const phoned = (title: string): number => receiver.messages.filter((message) => message.title === title).length;

  beforeAll(async () => {
    objects = (await renderEnvironment('prod')).objects;
    receiver = await startReceiver(objects);
    blogPort = await freePorts();
    programs.push(await startBlog(blogPort));
    edgePort = await freePorts();
    edge = await startEdge({ origin: `http://127.0.0.1:${blogPort}`, port: edgePort, data: join(folder, 'edge') });
    bridgePort = await freePorts();
    programs.push(
      await startOurs('bridge', bridgePort, ['--data', join(folder, 'bridge')], {
        BRIDGE_TOKENS: 'ci:example-bridge-token',
        EDGE_URL: edge.url(),
        EDGE_TOKEN,
        LOG_LEVEL: 'warn',
      }),
    );
    promPort = await freePorts();
    const ports = {
      prometheus: promPort,
      alertmanager: await freePorts(),
      blackbox: await freePorts(),
      receiver: receiver.port,
    };
    writeStack(folder, objects, ports, {
      blog: `127.0.0.1:${blogPort}`,
      bridge: `127.0.0.1:${bridgePort}`,
      'https://blog.porchlight.example/': `http://127.0.0.1:${edgePort}/`,
      'https://api.porchlight.example/health': `http://127.0.0.1:${bridgePort}/health`,
    });
    start(exporter, [
      `--config.file=${join(folder, 'blackbox.yaml')}`,
      `--web.listen-address=127.0.0.1:${ports.blackbox}`,
    ]);
    start(alertmanager, [
      `--config.file=${join(folder, 'alertmanager.yaml')}`,
      `--storage.path=${join(folder, 'am')}`,
      `--web.listen-address=127.0.0.1:${ports.alertmanager}`,
      '--cluster.listen-address=',
    ]);
    start(prometheus, [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${promPort}`,
    ]);
    // Prometheus listens before it is ready, and says 503 until then.
    const ready = async () => (await get(promPort, '/-/ready', { timeoutMs: 5000 })).status === 200;
    const up = await poll(
      async () =>
        (await accepts(promPort)) &&
        (await accepts(ports.alertmanager)) &&
        (await accepts(ports.blackbox)) &&
        (await ready()),
      30_000,
    );
    if (!up) throw new Error(programs.map((program) => program.logs().slice(-1500)).join('\n'));
  });

  afterAll(async () => {
    await edge?.stop();
    for (const program of programs.reverse()) await program.stop();
    receiver?.server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('every target is up', async () => {
    // A busy machine misses a scrape of a second now and then: what counts is that all are up at one time.
    let seen: string[] = [];
    await poll(
      async () => {
        seen = (await targets()).map(({ scrapePool, health, lastError }) =>
          `${scrapePool}: ${health} ${lastError}`.trim(),
        );
        return seen.length === 4 && seen.every((line) => line.endsWith(': up'));
      },
      60_000,
      500,
    );
    expect(seen.sort()).toEqual(['blackbox-api: up', 'blackbox-page: up', 'blog: up', 'bridge: up']);
  });

  test('bridge and blog expose what rules and dashboards ask for, under the names of check/data/metrics/own.yaml', async () => {
    const own = parse(
      readFileSync(new URL('../../cluster/check/data/metrics/own.yaml', import.meta.url), 'utf8'),
    ) as Record<'metrics' | 'histograms', string[]>;
    // A request is counted once it is answered: the second one shows the first.
    for (const port of [blogPort, bridgePort]) await get(port, '/health', {});
    const exposed = await Promise.all(
      [blogPort, bridgePort].map(async (port) => (await get(port, '/metrics', {})).body.toString()),
    );
    const names = new Set(
      exposed.flatMap((text) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '')),
    );
    // Written by the scripts of backup and guard, or by the summaries, which have tests of their own.
    const elsewhere = /^(porchlight_(ollama|backup|offsite|export|restore_drill|summar|model)|gen_ai)/;
    const ours = [...own.metrics, ...own.histograms].filter((name) => !elsewhere.test(name));
    expect(ours.filter((name) => !names.has(name))).toEqual([]);
    for (const text of exposed)
      expect(text).toMatch(/^http_requests_total\{(?=[^}]*method=)(?=[^}]*route=)(?=[^}]*status=)/m);
  });

  test('the page is seen through the edge, and nothing is wrong', async () => {
    const query = encodeURIComponent('probe_success{job="blackbox-page"}');
    const seen = await poll(
      async () => JSON.stringify(await ask(`/api/v1/query?query=${query}`)).includes('"1"]'),
      20_000,
      250,
    );
    expect(seen).toBe(true);
    expect(phoned('SiteDown')).toBe(0);
  });

  test('home goes dark: readers keep their page, and nobody is woken for it', async () => {
    const blog = programs.shift();
    await blog?.kill9();
    const page = await get(edgePort, '/', { timeoutMs: 10_000 });
    expect(page.status).toBe(200);
    programs.unshift(await startBlog(blogPort));
    expect(phoned('SiteDown')).toBe(0);
  });

  test('an outage reaches the phone once, and so does its end', async () => {
    await edge.stop();
    expect(await poll(() => phoned('SiteDown') > 0, 60_000, 100)).toBe(true);
    edge = await startEdge({ origin: `http://127.0.0.1:${blogPort}`, port: edgePort, data: join(folder, 'edge') });
    expect(await poll(() => phoned('SiteDown resolved') > 0, 60_000, 100)).toBe(true);
    // Several group intervals later it is still one of each.
    const calls = receiver.deadMan();
    expect(await poll(() => receiver.deadMan() > calls, 60_000, 100)).toBe(true);
    expect([phoned('SiteDown'), phoned('SiteDown resolved')]).toEqual([1, 1]);
    expect(receiver.messages.find(({ title }) => title === 'SiteDown')).toEqual({
      title: 'SiteDown',
      message: expect.stringMatching(/^1 firing, 0 resolved\n.* does not answer with a page\n\w/),
      priority: 8,
    });
    expect(receiver.refused).toEqual([]);
  });

  test('the dead man is called while all is well', () => {
    expect(receiver.deadMan()).toBeGreaterThan(0);
  });
});
