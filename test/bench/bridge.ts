import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_TOKEN, startTestBridge, until } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { startEdgeStandIn } from '../support/edge-stand-in.ts';
import { FakeDeployment } from '../support/kubernetes-api/deployment.ts';
import { startKubernetesApi } from '../support/kubernetes-api/server.ts';
import { freePort } from '../support/process.ts';

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
    const sentAt = performance.now();
    underWay.push(send().then(() => void times.push(performance.now() - sentAt)));
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

if (import.meta.main) {
  const publish = await benchPublish();
  console.table([publish]);
  const report = await benchBridge();
  const { memoryMb, ...rest } = report;
  console.table([rest]);
  console.log(`Resident memory after each tenth of ${report.total} purges, MB: ${memoryMb.join(' ')}`);
  mkdirSync('bench', { recursive: true });
  writeFileSync('bench/bridge.json', `${JSON.stringify({ publish, purges: report }, null, 2)}\n`);
}
