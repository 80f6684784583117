import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Edge, startEdge } from '../support/edge.ts';
import { Origin } from '../support/origin.ts';
import { poll, sleep } from '../support/program.ts';
import { ask, LONG, pageBody, purge, TRUST_MS } from './support.ts';

vi.setConfig(LONG);

let origin: Origin;
let data: string;
let edge: Edge;
const taken = new Set<string>();

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'porchlight-takedown-'));
  origin = await Origin.start();
  edge = await startEdge({ origin: origin.url, data, colos: 3 });
});
afterAll(async () => {
  await edge.stop();
  await origin.close();
  await rm(data, { recursive: true, force: true });
});

/** Every status, and no trace of the body, in every data centre. */
async function traces(path: string): Promise<string[]> {
  const answers = await Promise.all([0, 1, 2].map((colo) => ask(edge, path, {}, colo)));
  return answers
    .map((answer, colo) => ({ answer, colo }))
    .filter(({ answer }) => answer.status === 200 || answer.text.includes('version'))
    .map(({ answer, colo }) => `colo ${colo}: ${path} ${answer.status} ${answer.headers['cache-status']}`);
}

const LONG_PATH = `/gone/${'long/'.repeat(300)}`;

const WAYS: [how: string, path: string, request: Record<string, unknown>, colo: number][] = [
  ['by URL, here', '/gone/url', { urls: ['/gone/url'] }, 0],
  ['by URL, elsewhere', '/gone/far', { urls: ['/gone/far'] }, 1],
  ['by tag', '/gone/tag', { tags: ['t:/gone/tag'] }, 1],
  ['by prefix', '/gone/prefix/page', { prefixes: ['/gone/prefix/'] }, 0],
  ['by absolute URL with a tracking parameter', '/gone/abs', { urls: ['http://localhost/gone/abs?utm_source=x'] }, 2],
  ['by URL longer than an archive key', LONG_PATH, { urls: [LONG_PATH] }, 0],
  ['by prefix of a URL longer than an archive key', `${LONG_PATH}2`, { prefixes: [`${LONG_PATH}2`] }, 1],
  ['with everything', '/gone/all', { everything: true }, 0],
];

test.each(WAYS)('taken down %s: a fill under way does not bring it back', async (_how, path, request, colo) => {
  const headers = { 'Cache-Tag': `t:${path}`, Vary: 'Accept-Encoding' };
  origin.publish(path, pageBody(path, 1, 20_000), headers);
  // One data centre holds it already, another is in the middle of fetching the next version.
  expect((await ask(edge, path, {}, 2)).status).toBe(200);
  origin.publish(path, pageBody(path, 2, 20_000), headers);
  await purge(edge, { urls: [path] });
  origin.fault(path, { kind: 'drip', chunkBytes: 2_000, everyMs: 100 });
  const reading = ask(edge, path);
  const before = origin.count(path);
  expect((await poll(() => origin.count(path) > before, 5_000, 5)) || origin.count(path) > 1).toBe(true);
  const { removed } = await purge(edge, { ...request, mode: 'delete' }, colo);
  expect(removed).toBeGreaterThanOrEqual(1);
  origin.fault(path, null);
  origin.remove(path);
  taken.add(path);
  await reading;
  await sleep(300);
  // The data centre of the take-down at once, every other one within the trust of its snapshot.
  const there = await ask(edge, path, {}, colo);
  expect([there.status, there.text.includes('version')]).toEqual([404, false]);
  const gone = async () => (await traces(path)).length === 0;
  expect(await poll(gone, TRUST_MS, 250)).toBe(true);
});

test('what was taken down stays away when home dies, and after a restart', async () => {
  const others = '/stays';
  origin.publish(others, pageBody(others));
  expect((await ask(edge, others)).status).toBe(200);
  // Until its snapshot has run out, another data centre may not know of the last take-down yet.
  await sleep(TRUST_MS);
  await origin.kill();
  const found = async () => (await Promise.all([...taken].map((path) => traces(path)))).flat();
  expect(await found()).toEqual([]);
  await edge.kill9();
  edge = await startEdge({ origin: origin.url, data, colos: 3 });
  expect(await found()).toEqual([]);
  // Of everything else nothing is lost.
  expect((await ask(edge, others, {}, 1)).text).toBe(pageBody(others));
  await origin.restart();
});

test('a page published again after its take-down is a page like any other', async () => {
  const path = '/gone/url';
  origin.publish(path, pageBody(path, 3), { 'Cache-Tag': `t:${path}` });
  await purge(edge, { urls: [path] });
  const there = async () => (await ask(edge, path)).text === pageBody(path, 3);
  expect(await poll(there, 40_000, 250)).toBe(true);
  const elsewhere = async () => (await ask(edge, path, {}, 1)).text === pageBody(path, 3);
  expect(await poll(elsewhere, 40_000, 250)).toBe(true);
  await origin.kill();
  expect((await ask(edge, path, {}, 2)).text).toBe(pageBody(path, 3));
});
