import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BRIDGE_TOKEN, until } from './bridge.ts';
import { startBridgeProcess } from './bridge-process.ts';
import { type EdgeStandIn, startEdgeStandIn } from './edge-stand-in.ts';
import { type Child, freePort } from './process.ts';

export interface ChaosOptions {
  readonly purges: number;
  readonly kills: number;
  readonly databaseUrl?: string;
  /** In [0, 1), so that a run can be repeated. */
  readonly random: () => number;
}

export interface ChaosReport {
  readonly accepted: number;
  readonly kills: number;
  readonly lost: string[];
  readonly twice: string[];
  /** Places where a purge was delivered before one that had been accepted earlier. */
  readonly disorder: string[];
  readonly edgeCalls: number;
  readonly repeatedCalls: number;
  readonly seconds: number;
}

const WINDOW = 50;

/**
 * Purges keep coming while the bridge is killed with -9 again and again. The edge is down for most of it, then half alive: it takes calls
 * and loses the answers, so that kills also hit deliveries. A caller repeats a purge until it is accepted, as any caller would.
 */
export async function outboxChaos(options: ChaosOptions): Promise<ChaosReport> {
  const startedAt = performance.now();
  const edge = await startEdgeStandIn();
  const data = mkdtempSync(join(tmpdir(), 'porchlight-chaos-'));
  const port = await freePort();
  const env = {
    EDGE_URL: edge.url,
    EDGE_TOKEN: edge.token,
    ...(options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {}),
  };
  const state = { kills: 0 };
  edge.fault = () => {
    if (state.kills < options.kills * 0.7) return 'down';
    return options.random() < 0.5 ? 'lost-answer' : null;
  };
  const accepted: string[] = [];
  let bridge: Child = await startBridgeProcess(port, data, env);
  try {
    const kill = async () => {
      const pace = options.purges / options.kills;
      while (state.kills < options.kills) {
        const at = Math.min((state.kills + options.random()) * pace, options.purges - WINDOW);
        await until('the callers get on', () => accepted.length >= at, 120_000);
        await bridge.kill('SIGKILL');
        state.kills++;
        bridge = await startBridgeProcess(port, data, env);
      }
    };
    const purge = async () => {
      for (let start = 0; start < options.purges; start += WINDOW) {
        const size = Math.min(WINDOW, options.purges - start);
        const window = Array.from({ length: size }, (_, index) => `tag:${start + index}`);
        await Promise.all(window.map((tag) => untilAccepted(port, tag)));
        accepted.push(...window);
      }
    };
    await Promise.all([kill(), purge()]);
    edge.fault = null;
    await until('everything is delivered', () => deliveredTags(edge).size >= options.purges, 120_000);
    return {
      ...judge(edge, accepted),
      kills: state.kills,
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    };
  } finally {
    await bridge.kill('SIGKILL');
    await edge.close();
    rmSync(data, { recursive: true, force: true });
  }
}

const deliveredTags = (edge: EdgeStandIn) => new Set(edge.purges.flatMap((purge) => purge.tags ?? []));

function judge(edge: EdgeStandIn, accepted: readonly string[]): Omit<ChaosReport, 'kills' | 'seconds'> {
  const delivered = edge.purges.flatMap((purge) => purge.tags ?? []);
  const seen = new Set<string>();
  const twice = delivered.filter((tag) => seen.size === seen.add(tag).size);
  // Within a window the callers were concurrent; every window was accepted before the next one was sent.
  const windowOf = (tag: string) => Math.floor(Number(tag.slice(4)) / WINDOW);
  const disorder = delivered.filter((tag, index) => index > 0 && windowOf(tag) < windowOf(delivered[index - 1] ?? tag));
  return {
    accepted: accepted.length,
    lost: accepted.filter((tag) => !seen.has(tag)),
    twice,
    disorder,
    edgeCalls: edge.calls,
    repeatedCalls: edge.repeats.length,
  };
}

async function untilAccepted(port: number, tag: string): Promise<void> {
  const body = JSON.stringify({ id: `chaos-${tag}`, tags: [tag] });
  await until(
    `${tag} is accepted`,
    async () => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/purge`, {
        method: 'POST',
        headers: { authorization: `Bearer ${BRIDGE_TOKEN}` },
        body,
        signal: AbortSignal.timeout(10_000),
      }).catch(() => null);
      await response?.arrayBuffer().catch(() => null);
      return response?.status === 202;
    },
    120_000,
  );
}

/** Mulberry32: a small generator with a seed, so that a failure can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
