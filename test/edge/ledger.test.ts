import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare, type MiniflareOptions } from 'miniflare';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundleWorker, COMPATIBILITY_DATE } from '../../local/bundle.ts';
import { EDGE_TOKEN, type Edge, startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { Origin } from '../support/origin.ts';
import { freePorts } from '../support/ports.ts';
import { sleep } from '../support/program.ts';
import { ask, LONG, ledgerSeq, pageBody, pool, purge, TRUST_MS } from './support.ts';

vi.setConfig(LONG);

let origin: Origin;
let data: string;
let edge: Edge;

const start = (): Promise<Edge> => startEdge({ origin: origin.url, data, colos: 2 });

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'porchlight-ledger-'));
  origin = await Origin.start();
  edge = await start();
});
afterAll(async () => {
  await edge.stop();
  await origin.close();
  await rm(data, { recursive: true, force: true });
});

async function publish(path: string, version: number, headers: Record<string, string> = {}): Promise<string> {
  const body = pageBody(path, version, 1_000);
  origin.publish(path, body, { 'Cache-Tag': `tag:${path}`, ...headers });
  return body;
}

async function everywhere(path: string): Promise<string[]> {
  const answers = await Promise.all([0, 1].map((colo) => ask(edge, path, {}, colo)));
  return answers.map(({ status, text }) => (status === 200 ? text : `${status}`));
}

test('an acknowledged invalidation survives kill -9 of everything, in the same moment', async () => {
  for (const [round, colo] of [1, 0].entries()) {
    const paths = Array.from({ length: 10 }, (_, i) => `/survives/${round}/${i}`);
    for (const path of paths) await publish(path, 1);
    for (const path of paths) await everywhere(path);
    const bodies = new Map<string, string>();
    for (const path of paths) bodies.set(path, await publish(path, 2));
    const tags = paths.map((path) => `tag:${path}`);
    const acknowledged = await purge(edge, { tags, id: `round-${round}` }, colo);
    await edge.kill9();
    edge = await start();
    // The data centre that acknowledged knows it at once; the other one when its own snapshot has run out.
    expect(await ledgerSeq(edge, colo)).toBe(acknowledged.seq);
    for (const path of paths) expect((await ask(edge, path, {}, colo)).text).toBe(bodies.get(path));
    await sleep(TRUST_MS);
    for (const path of paths) expect(await everywhere(path)).toEqual([bodies.get(path), bodies.get(path)]);
    // And what was acknowledged once is not done again.
    expect(await purge(edge, { tags: ['x'], id: `round-${round}` })).toEqual(acknowledged);
  }
});

/** What the origin was asked for of pages nobody meant, after `work`. */
async function asked(paths: string[], work: () => Promise<unknown>): Promise<number> {
  for (const path of paths) await everywhere(path);
  await work();
  await sleep(TRUST_MS);
  origin.forget();
  for (const path of paths)
    expect(await everywhere(path)).toEqual([pageBody(path, 1, 1_000), pageBody(path, 1, 1_000)]);
  return origin.seen.length;
}

test('a purge of 1,000 other pages and 900 unsafe requests of readers touch nobody else’s pages', async () => {
  const untouched = Array.from({ length: 20 }, (_, i) => `/crowd/same/${i}`);
  for (const path of untouched) await publish(path, 1);
  const urls = Array.from({ length: 1_000 }, (_, i) => `/crowd/changed/${i}`);
  expect(await asked(untouched, () => purge(edge, { urls }))).toBe(0);
  const posts = Array.from({ length: 900 }, (_, i) => `/crowd/comment?n=${i}`);
  origin.publish('/crowd/comment', 'thank you');
  const post = (path: string, i: number) => ask(edge, path, { method: 'POST', body: 'a comment' }, i % 2);
  expect(await asked(untouched, () => pool(posts, 20, post))).toBe(0);
});

test('what readers changed is fetched anew, however many changed something since', async () => {
  const changed = Array.from({ length: 20 }, (_, i) => `/fold/changed/${i}`);
  for (const path of changed) await publish(path, 1);
  for (const path of changed) await everywhere(path);
  const bodies = new Map<string, string>();
  for (const path of changed) bodies.set(path, await publish(path, 2));
  origin.publish('/fold/other', 'thank you');
  const first = await ledgerSeq(edge);
  const post = (path: string, i: number) => ask(edge, path, { method: 'POST', body: 'a comment' }, i % 2);
  await pool(changed, 10, post);
  const others = Array.from({ length: 1_100 }, (_, i) => `/fold/other?n=${i}`);
  await pool(others, 20, post);
  expect(await ledgerSeq(edge)).toBe(first + 1_120);
  // Their own lines are folded by now, in a ledger that also starts anew.
  await edge.kill9();
  edge = await start();
  expect(await ledgerSeq(edge)).toBe(first + 1_120);
  await sleep(TRUST_MS);
  for (const path of changed) expect(await everywhere(path)).toEqual([bodies.get(path), bodies.get(path)]);
});

/** A ledger that fails in its own way; everything else is the edge as it is. */
const FAULTY: [name: string, method: string][] = [
  ['throws', 'throw new Error("the ledger is out of order");'],
  ['never answers', 'return new Promise((resolve) => setTimeout(resolve, 3_600_000));'],
];

const faultyLedger = (body: string, read = body): string => `
import { DurableObject } from 'cloudflare:workers';
export class Ledger extends DurableObject {
  async read() { ${read} }
  async invalidate() { ${body} }
  async acquire() { ${body} }
  async complete() { ${body} }
}
export default { fetch: () => new Response(null, { status: 404 }) };`;

async function withLedger(body: string, read?: string): Promise<{ port: number; stop: () => Promise<void> }> {
  const port = await freePorts();
  const script = (contents: string) => ({
    mainModule: 'index.mjs',
    modulesRoot: '/',
    modules: { 'index.mjs': { type: 'esm', contents } },
  });
  const vars = { BLOG_ORIGIN: origin.url, DOMAIN: 'localhost', SCHEME: 'http', ANY_HOST: 'true', COLO: 'colo-1' };
  const text = Object.entries({ ...vars, EDGE_TOKEN: `test:${EDGE_TOKEN}` }).map(([name, value]) => [
    name,
    { type: 'text', value },
  ]);
  const env = {
    ...Object.fromEntries(text),
    ARCHIVE: { type: 'r2', name: 'archive' },
    LEDGER: { type: 'durable-object', worker: 'faulty', exportName: 'Ledger' },
  };
  const exports = { Ledger: { type: 'durable-object', storage: 'sqlite' } };
  const base = { compatibilityDate: COMPATIBILITY_DATE };
  const { code } = await bundleWorker();
  const edgeWorker = {
    config: { ...base, name: 'colo-1', manifest: script(code), env },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port }] },
  };
  const faulty = { config: { ...base, name: 'faulty', manifest: script(faultyLedger(body, read)), exports } };
  const settings = { workers: [edgeWorker, faulty], resourcePersistencePath: data };
  const miniflare = new Miniflare(settings as unknown as MiniflareOptions);
  await miniflare.ready;
  return { port, stop: () => miniflare.dispose() };
}

describe.each(FAULTY)('a ledger that %s', (name, body) => {
  test('keeps no reader from a page, and no purge is acknowledged', async () => {
    const old = `/out-of-order/${name.replaceAll(' ', '-')}`;
    const fresh = `${old}/new`;
    const stored = await publish(old, 1);
    expect((await ask(edge, old)).text).toBe(stored);
    // Once the other data centre has it, it is in the archive.
    expect((await ask(edge, old, {}, 1)).text).toBe(stored);
    await edge.kill9();
    const { port, stop } = await withLedger(body);
    try {
      const archived = await get(port, old);
      expect([archived.status, archived.text]).toEqual([200, stored]);
      const text = await publish(fresh, 1);
      for (let i = 0; i < 2; i += 1) {
        const answer = await get(port, fresh);
        expect([answer.status, answer.text]).toEqual([200, text]);
      }
      const headers = { Authorization: `Bearer ${EDGE_TOKEN}` };
      const purged = await get(port, '/.porchlight/purge', { method: 'POST', headers, body: '{"everything": true}' });
      expect([purged.status, purged.headers['retry-after']]).toEqual([503, '2']);
      const health = JSON.parse((await get(port, '/.porchlight/health')).text) as { ledger: { ok: boolean } };
      expect(health).toMatchObject({ status: 'degraded', ledger: { ok: false } });
    } finally {
      await stop();
      edge = await start();
    }
  });
});

test('a ledger that hangs while it is asked for a lease keeps nobody waiting for it', async () => {
  await edge.kill9();
  const [, hangs] = FAULTY[1] ?? [];
  const { port, stop } = await withLedger(hangs ?? '', 'return { seq: 0, floor: 0, entries: [] };');
  try {
    const text = await publish('/lease-hangs', 1);
    // The snapshot is young: nothing but the lease itself shows that the ledger is ill.
    expect((await get(port, '/nothing-there')).status).toBe(404);
    await sleep(10_500);
    const first = await get(port, '/lease-hangs');
    expect([first.status, first.text]).toEqual([200, text]);
    expect(first.totalMs).toBeLessThan(5_000);
    // And not for its report either: a range of a page that was never stored waits for the page alone.
    await publish('/lease-hangs/range', 1);
    const range = await get(port, '/lease-hangs/range', { headers: { Range: 'bytes=0-9' } });
    expect([range.status, range.totalMs < 5_000]).toEqual([206, true]);
  } finally {
    await stop();
    edge = await start();
  }
});
