import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_TOKEN } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { startEdgeStandIn } from '../support/edge-stand-in.ts';
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
  const report = await benchBridge();
  const { memoryMb, ...rest } = report;
  console.table([rest]);
  console.log(`Resident memory after each tenth of ${report.total} purges, MB: ${memoryMb.join(' ')}`);
  mkdirSync('bench', { recursive: true });
  writeFileSync('bench/bridge.json', `${JSON.stringify(report, null, 2)}\n`);
}
