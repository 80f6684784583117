import { expect, test } from 'vitest';
import { poll, sleep } from '../support/program.ts';
import { ask, home, ledgerSeq, pageBody, pool, TRUST_MS } from './support.ts';

/** Pages that were everybody's, and are one reader's from now on. */
const at = home({ colos: 4 });
const all = home({ colos: 2, forward: 'all' });

const SHORT = { 'Cache-Control': 'max-age=1' };
const PRIVATE = { 'Cache-Control': 'private, max-age=600' };

/** In the first three data centres; the fourth never sees it, and has it from the archive alone. */
async function spread(path: string): Promise<void> {
  at.origin.publish(path, pageBody(path), SHORT);
  for (const colo of [0, 1, 2]) expect((await ask(at.edge, path, {}, colo)).text).toBe(pageBody(path));
}

async function inOutage(path: string): Promise<{ status: number; text: string }[]> {
  await at.origin.kill();
  try {
    return await Promise.all([0, 1, 2, 3].map((colo) => ask(at.edge, path, {}, colo)));
  } finally {
    await at.origin.restart();
  }
}

async function healed(): Promise<void> {
  at.origin.publish('/probe', 'alive', { 'Cache-Control': 'no-store' });
  for (const colo of [0, 1, 2, 3]) {
    const alive = async () => (await ask(at.edge, '/probe', {}, colo)).text === 'alive';
    expect(await poll(alive, 40_000, 100)).toBe(true);
  }
}

test.each([
  ['a new page', 2],
  ['the same page, by validation', 1],
])('a page that turned private (%s) is nobody else’s, in no data centre, in no outage', async (_name, version) => {
  const path = `/members/${version}`;
  await spread(path);
  const before = await ledgerSeq(at.edge);
  at.origin.publish(path, pageBody(path, version), PRIVATE);
  await sleep(1_100);
  // One line in the ledger, however many ask.
  const readers = Array.from({ length: 60 }, (_, i) => i % 3);
  const answers = await pool(readers, 20, (colo) => ask(at.edge, path, { headers: { 'X-Reader': 'me' } }, colo));
  expect(new Set(answers.map(({ text }) => text))).toEqual(new Set([pageBody(path, version)]));
  expect(await poll(async () => (await ledgerSeq(at.edge)) > before, 10_000, 100)).toBe(true);
  await sleep(TRUST_MS);
  expect(await ledgerSeq(at.edge)).toBe(before + 1);
  const shown = await inOutage(path);
  expect(shown.filter(({ status, text }) => status < 500 || text.includes('version'))).toEqual([]);
  // And public once more, it is stored once more.
  await healed();
  at.origin.publish(path, pageBody(path, 3), { 'Cache-Control': 'max-age=600' });
  const stored = async () => (await ask(at.edge, path)).headers['cache-status']?.includes('hit') === true;
  expect(await poll(stored, 90_000, 500)).toBe(true);
  expect(await ledgerSeq(at.edge)).toBe(before + 1);
  expect((await inOutage(path)).map(({ text }) => text)).toEqual(Array(4).fill(pageBody(path, 3)));
  await healed();
});

test.each<[number, Record<string, string>]>([
  [500, { 'Cache-Control': 'no-store' }],
  [404, { 'Cache-Control': 'private, no-store' }],
  [302, { 'Cache-Control': 'private', Location: '/login' }],
  [200, { 'Set-Cookie': 'a=1' }],
])('%d with %j takes no page back', async (status, headers) => {
  const path = `/kept/${status}`;
  await spread(path);
  const before = await ledgerSeq(at.edge);
  at.origin.fault(path, { kind: 'status', status, headers, body: 'not the page' });
  await sleep(1_100);
  for (const colo of [0, 1, 2]) await ask(at.edge, path, {}, colo);
  at.origin.fault(path, null);
  await sleep(500);
  expect(await ledgerSeq(at.edge)).toBe(before);
  expect((await inOutage(path)).map(({ text }) => text)).toEqual(Array(4).fill(pageBody(path)));
  await healed();
});

test('where readers’ own fields reach home, none of them takes a page from the others', async () => {
  const path = '/theirs';
  all.origin.handle(path, (req, res) => {
    const own = req.headers['x-evil'] !== undefined || req.headers.authorization !== undefined;
    res.writeHead(200, own ? PRIVATE : SHORT).end(own ? 'own' : 'everybody’s');
  });
  const before = await ledgerSeq(all.edge);
  for (const headers of [{ 'X-Evil': '1' }, { Authorization: 'Basic eDp5' }]) {
    expect((await ask(all.edge, path)).text).toBe('everybody’s');
    await sleep(1_100);
    expect((await ask(all.edge, path, { headers })).text).toBe('own');
  }
  await sleep(500);
  expect(await ledgerSeq(all.edge)).toBe(before);
  all.origin.handle(path, null);
});
