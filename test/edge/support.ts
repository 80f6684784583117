import { createHash } from 'node:crypto';
import { afterAll, beforeAll, vi } from 'vitest';
import { EDGE_TOKEN, type Edge, type EdgeOptions, startEdge } from '../support/edge.ts';
import { type Answer, type AskOptions, get } from '../support/http.ts';
import { Origin } from '../support/origin.ts';

/** Whole-system tests start processes and wait for clocks of the edge; none of them measures by its deadline. */
export const LONG = { testTimeout: 180_000, hookTimeout: 120_000 };

/** How old a snapshot of the ledger may be when a page is judged by it; with a margin for the way there. */
export const TRUST_MS = 5_250;

export interface Home {
  readonly origin: Origin;
  readonly edge: Edge;
}

/** One origin and one edge for all tests of a file. Read its fields inside tests only. */
export function home(options: Omit<EdgeOptions, 'origin'> = {}): Home {
  vi.setConfig(LONG);
  let origin: Origin | undefined;
  let edge: Edge | undefined;
  beforeAll(async () => {
    origin = await Origin.start();
    edge = await startEdge({ origin: origin.url, ...options });
  });
  afterAll(async () => {
    await edge?.stop();
    await origin?.close();
  });
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('Not started yet: use it inside a test.');
    return value;
  };
  return {
    get origin() {
      return started(origin);
    },
    get edge() {
      return started(edge);
    },
  };
}

export const portOf = (edge: Edge, colo = 0): number => edge.ports[colo] ?? 0;

/** Asks one data centre of an edge. */
export function ask(edge: Edge, path: string, options: AskOptions = {}, colo = 0): Promise<Answer> {
  return get(portOf(edge, colo), path, options);
}

const authorised = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` };

/** POST to the admin interface, with the right token unless another (or none) is given. */
export function admin(
  edge: Edge,
  what: 'purge' | 'warm',
  body: unknown,
  { colo = 0, token = EDGE_TOKEN }: { colo?: number; token?: string | null } = {},
): Promise<Answer> {
  const headers = { 'Content-Type': 'application/json', ...authorised(token ?? undefined) };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return get(portOf(edge, colo), `/.porchlight/${what}`, { method: 'POST', headers, body: text, timeoutMs: 90_000 });
}

/** A purge that has to be acknowledged. */
export async function purge(
  edge: Edge,
  body: Record<string, unknown>,
  colo = 0,
): Promise<{ seq: number; removed?: number }> {
  const answer = await admin(edge, 'purge', body, { colo });
  if (answer.status !== 200) throw new Error(`purge was answered ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text) as { seq: number; acknowledged: true; removed?: number };
}

/** The ledger's number as one data centre sees it. */
export async function ledgerSeq(edge: Edge, colo = 0): Promise<number> {
  const { text } = await ask(edge, '/.porchlight/health', {}, colo);
  return (JSON.parse(text) as { ledger: { seq: number } }).ledger.seq;
}

/** Lines of an NDJSON body. */
export const ndjson = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Runs `work` over all items, at most `width` at a time; results in the order of the items. */
export async function pool<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}

/** A page body of about `bytes` bytes that no other name and version has. */
export function pageBody(name: string, version = 1, bytes = 4_000): string {
  const head = `<!doctype html><title>${name}</title><p>${name} version ${version}</p>\n`;
  const seed = createHash('sha256').update(head).digest('hex');
  return head + seed.repeat(Math.max(1, Math.ceil((bytes - head.length) / seed.length)));
}

/** Middle, 95th percentile and maximum of some numbers. */
export function spread(values: readonly number[]): { median: number; p95: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { median: at(0.5), p95: at(0.95), max: at(1) };
}
