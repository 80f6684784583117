import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_TOKEN, startTestBridge, until } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { startEdgeStandIn } from '../support/edge-stand-in.ts';
import { FakeDeployment } from '../support/kubernetes-api/deployment.ts';
import { startKubernetesApi } from '../support/kubernetes-api/server.ts';
import { freePort } from '../support/process.ts';
import type { Scenario } from './scenario.ts';
import { quantile, round } from './stats.ts';

export interface BridgeBenchOptions {
  /** Purges a second, and for how many seconds. */
  readonly rate: number;
  readonly seconds: number;
  /** Purges for the memory's sake, and how many callers send them. */
  readonly total: number;
  readonly callers: number;
}

export interface BridgeBenchReport {
  readonly accepted: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly total: number;
  readonly perSecond: number;
  /** Resident set in MB after each tenth of the total. */
  readonly memoryMb: readonly number[];
  readonly edgeCalls: number;
}

export interface PublishBenchReport {
  readonly rollouts: number;
  /** From the write that completes the rollout to the acknowledged purge, and to the end of warming. */
  readonly purgedP50Ms: number;
  readonly purgedMaxMs: number;
  readonly warmedP50Ms: number;
  readonly warmedMaxMs: number;
}

/** Rollouts in an API server on loopback, published by a bridge in this process. */
export async function benchPublish(rollouts = 20): Promise<PublishBenchReport> {
  const edge = await startEdgeStandIn();
  const api = await startKubernetesApi();
  const data = mkdtempSync(join(tmpdir(), 'porchlight-bench-'));
  const kubeconfig = join(data, 'kubeconfig');
  writeFileSync(kubeconfig, api.kubeconfig);
  const annotations = { 'porchlight.dev/tags': 'type:html', 'porchlight.dev/warm': 'https://blog.example/sitemap.xml' };
  const blog = new FakeDeployment(api, { annotations });
  blog.rollOut('registry.example/blog:0');
  const env = {
    EDGE_URL: edge.url,
    EDGE_TOKEN: edge.token,
    PUBLIC_URL: 'https://blog.example',
    KUBECONFIG: kubeconfig,
  };
  const bridge = await startTestBridge(env);
  try {
    await until('a watch', () => api.counts.watches > 0 && edge.warmed.length > 0);
    const purged: number[] = [];
    const warmed: number[] = [];
    for (let index = 1; index <= rollouts; index++) {
      const before = { purges: edge.purges.length, warmed: edge.warmed.length };
      blog.rollOut(`registry.example/blog:${index}`);
      const completeAt = performance.now();
      await until('purged', () => edge.purges.length > before.purges);
      purged.push(performance.now() - completeAt);
      await until('warmed', () => edge.warmed.length > before.warmed);
      warmed.push(performance.now() - completeAt);
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const at = (times: number[], share: number) =>
      Math.round(times.toSorted((a, b) => a - b).at(Math.floor(times.length * share)) ?? 0);
    return {
      rollouts,
      purgedP50Ms: at(purged, 0.5),
      purgedMaxMs: Math.round(Math.max(...purged)),
      warmedP50Ms: at(warmed, 0.5),
      warmedMaxMs: Math.round(Math.max(...warmed)),
    };
  } finally {
    await bridge.stop();
    await api.close();
    await edge.close();
    rmSync(data, { recursive: true, force: true });
  }
}

const DEFAULTS: BridgeBenchOptions = { rate: 200, seconds: 15, total: 100_000, callers: 64 };

/** The bridge in a process of its own on the embedded store, its purges delivered to an edge on loopback. */
export async function benchBridge(options: BridgeBenchOptions = DEFAULTS): Promise<BridgeBenchReport> {
  const data = mkdtempSync(join(tmpdir(), 'porchlight-bench-'));
  const edge = await startEdgeStandIn();
  const port = await freePort();
  const bridge = await startBridgeProcess(port, data, { EDGE_URL: edge.url, EDGE_TOKEN: edge.token });
  const agent = new Agent({ keepAlive: true, maxSockets: options.callers });
  try {
    const send = () => purge(port, agent);
    for (let warmUp = 0; warmUp < 1000; warmUp++) await send();
    const times = await atRate(send, options.rate, options.seconds);
    const pid = bridge.process.pid ?? 0;
    const memoryMb: number[] = [];
    const startedAt = performance.now();
    for (let tenth = 0; tenth < 10; tenth++) {
      await allAtOnce(send, options.total / 10, options.callers);
      memoryMb.push(residentMb(pid));
    }
    const perSecond = Math.round(options.total / ((performance.now() - startedAt) / 1000));
    const at = (share: number) =>
      Math.round((times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0) * 100) / 100;
    const latency = { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    return { accepted: times.length, ...latency, total: options.total, perSecond, memoryMb, edgeCalls: edge.calls };
  } finally {
    agent.destroy();
    await bridge.kill('SIGTERM');
    await edge.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** Sends at a fixed rate whatever the answers take, and counts from when each should have been sent. */
async function atRate(send: () => Promise<void>, rate: number, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const startedAt = performance.now();
  const underWay: Promise<void>[] = [];
  for (let index = 0; index < rate * seconds; index++) {
    const due = startedAt + (index * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    underWay.push(send().then(() => void times.push(performance.now() - due)));
  }
  await Promise.all(underWay);
  return times.sort((left, right) => left - right);
}

async function allAtOnce(send: () => Promise<void>, count: number, callers: number): Promise<void> {
  let left = count;
  const caller = async () => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: callers }, caller));
}

let sent = 0;

function purge(port: number, agent: Agent): Promise<void> {
  const body = JSON.stringify({ tags: [`post:${sent++ % 5000}`, 'type:html'] });
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${BRIDGE_TOKEN}`, 'content-length': Buffer.byteLength(body) };
    const outgoing = request({ port, agent, method: 'POST', path: '/v1/purge', headers }, (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 202 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

function residentMb(pid: number): number {
  const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb ?? 0) / 1024);
}

/** What one `fsync` of a few kilobytes costs on this disk, at the same rate: no durable acknowledgement can be faster. */
async function fsyncFloor(rate: number, seconds: number): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'porchlight-bench-'));
  const file = await open(join(directory, 'log'), 'w');
  const block = Buffer.alloc(4096);
  try {
    return await atRate(
      async () => {
        await file.write(block);
        await file.datasync();
      },
      rate,
      seconds,
    );
  } finally {
    await file.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const P99_MS = 10;
/** Between the second tenth, when everything is warm, and the last. */
const GROWTH = 0.1;

/** The bridge: what acknowledging a purge costs, whether its memory grows, and how fast a rollout publishes itself. */
export const bridge: Scenario = async ({ note }) => {
  note('fsync of the disk');
  const floor = await fsyncFloor(DEFAULTS.rate, 5);
  const quantileMs = (share: number) => round(quantile(floor, share), 2);
  note(`purges: ${DEFAULTS.rate} a second, then ${DEFAULTS.total} by ${DEFAULTS.callers} callers`);
  const purges = await benchBridge();
  note('rollouts');
  const publish = await benchPublish();
  const { memoryMb } = purges;
  const [, warm = Number.NaN] = memoryMb;
  const grown = ((memoryMb.at(-1) ?? Number.NaN) - warm) / warm;
  const accept = ['p50 ms', 'p99 ms', 'max ms'];
  return {
    title: 'The bridge: accepting purges, memory, rollouts',
    tables: [
      {
        head: [`${DEFAULTS.rate} a second`, ...accept],
        rows: [
          ['purge accepted, embedded store', purges.p50Ms, purges.p99Ms, purges.maxMs],
          ['one fsync of 4 KiB on this disk', quantileMs(0.5), quantileMs(0.99), quantileMs(1)],
        ],
      },
      {
        head: [`${DEFAULTS.total} purges`, 'a second', 'calls of the edge', 'MB after each tenth'],
        rows: [[`${DEFAULTS.callers} callers`, purges.perSecond, purges.edgeCalls, memoryMb.join(' ')]],
      },
      {
        head: [`${publish.rollouts} rollouts, from completion`, 'p50 ms', 'max ms'],
        rows: [
          ['purge acknowledged', publish.purgedP50Ms, publish.purgedMaxMs],
          ['warmed', publish.warmedP50Ms, publish.warmedMaxMs],
        ],
      },
    ],
    goals: [
      {
        what: 'purge accepted, p99',
        goal: `under ${P99_MS} ms`,
        measured: `${purges.p99Ms} ms`,
        met: purges.p99Ms < P99_MS,
      },
      {
        what: `memory over ${DEFAULTS.total} purges`,
        goal: `flat (within ${GROWTH * 100} %)`,
        measured: `${round(grown * 100, 1)} %`,
        met: grown <= GROWTH,
      },
      {
        what: 'rollout complete to warmed, max',
        goal: 'under 1000 ms',
        measured: `${publish.warmedMaxMs} ms`,
        met: publish.warmedMaxMs < 1000,
      },
    ],
    data: { purges, publish, fsyncMs: { p50: quantileMs(0.5), p99: quantileMs(0.99) } },
  };
};
