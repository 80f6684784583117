import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Placed } from '../../cluster/check/manifest.ts';
import { renderEnvironment } from '../../cluster/check/render.ts';
import { installed } from '../../cluster/check/tools.ts';
import { type Edge, startEdge } from '../support/edge.ts';
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

/** Stands where the bridge will: its metrics by name, its health. */
async function startBridge(): Promise<Server> {
  const own = parse(readFileSync(new URL('../../cluster/check/data/metrics/own.yaml', import.meta.url), 'utf8')) as {
    metrics: string[];
  };
  const gauges = own.metrics.filter((name) => /^porchlight_(outbox|watch|dependency_last|summary)/.test(name));
  const body = [...gauges.map((name) => `${name} 0`), 'porchlight_dependency_up{dependency="edge"} 1'].join('\n');
  const server = createServer((request, response) => {
    const metrics = request.url === '/metrics';
    response
      .writeHead(200, { 'content-type': metrics ? 'text/plain; version=0.0.4' : 'application/json' })
      .end(metrics ? `${body}\n` : '{"status":"ok"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function startBlog(port: number): Promise<Program> {
  const blog = startProgram('node', ['blog/main.ts', '--port', String(port)], {
    // Vitest sets a BASE_URL of its own.
    env: { BASE_URL: `http://127.0.0.1:${port}` },
  });
  if (await poll(() => accepts(port), 30_000)) return blog;
  await blog.kill9();
  throw new Error(`the blog does not listen on ${port}: ${blog.logs()}`);
}

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
  let bridge: Server;
  let edge: Edge;
  let edgePort: number;
  let blogPort: number;
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
    receiver = await startReceiver();
    bridge = await startBridge();
    const bridgePort = (bridge.address() as AddressInfo).port;
    blogPort = await freePorts();
    programs.push(await startBlog(blogPort));
    edgePort = await freePorts();
    edge = await startEdge({ origin: `http://127.0.0.1:${blogPort}`, port: edgePort, data: join(folder, 'edge') });
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
    const up = await poll(
      async () => (await accepts(promPort)) && (await accepts(ports.alertmanager)) && (await accepts(ports.blackbox)),
      30_000,
    );
    if (!up) throw new Error(programs.map((program) => program.logs().slice(-1500)).join('\n'));
  });

  afterAll(async () => {
    await edge?.stop();
    for (const program of programs.reverse()) await program.stop();
    receiver?.server.close();
    bridge?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('every target is up', async () => {
    await poll(
      async () => (await targets()).length === 4 && (await targets()).every(({ health }) => health === 'up'),
      30_000,
      500,
    );
    expect(
      (await targets())
        .map(({ scrapePool, health, lastError }) => `${scrapePool}: ${health} ${lastError}`.trim())
        .sort(),
    ).toEqual(['blackbox-api: up', 'blackbox-page: up', 'blog: up', 'bridge: up']);
  });

  test('the blog exposes the metrics that rules and dashboards ask for, with their labels', async () => {
    const exposed = (await get(blogPort, '/metrics', {})).body.toString();
    expect(exposed).toMatch(/^http_requests_total\{(?=[^}]*method=)(?=[^}]*route=)(?=[^}]*status=)/m);
    expect(exposed).toMatch(/^http_request_duration_seconds_bucket\{(?=[^}]*le=)/m);
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
    expect(await poll(() => phoned('Resolved: SiteDown') > 0, 60_000, 100)).toBe(true);
    // Several group intervals later it is still one of each.
    const calls = receiver.deadMan();
    expect(await poll(() => receiver.deadMan() > calls, 60_000, 100)).toBe(true);
    expect([phoned('SiteDown'), phoned('Resolved: SiteDown')]).toEqual([1, 1]);
    expect(receiver.messages.find(({ title }) => title === 'SiteDown')).toEqual({
      title: 'SiteDown',
      message: `http://127.0.0.1:${edgePort}/ does not answer with a page`,
      priority: 8,
    });
    expect(receiver.refused).toEqual([]);
  });

  test('the dead man is called while all is well', () => {
    expect(receiver.deadMan()).toBeGreaterThan(0);
  });
});
