import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { poll, sleep } from '../support/program.ts';
import { ask, home } from './support.ts';

/** How browsers ask for audio and video: by ranges, most of them `bytes=0-`, many readers at once. */
const at = home({ colos: 2 });
const MB = 1_000_000;

type Serve = (req: IncomingMessage, res: ServerResponse) => void;

/** A file home serves by ranges, or without them; each answer takes a moment to come. */
function film(bytes: Buffer, fields: Record<string, string> = {}, ranges = true): Serve {
  const headers = { 'Content-Type': 'video/mp4', 'Cache-Control': 'max-age=86400', ETag: '"film"', ...fields };
  return (req, res) => {
    const asked = ranges ? /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '') : null;
    const first = Number(asked?.[1] ?? 0);
    const last = asked?.[2] ? Number(asked[2]) : bytes.length - 1;
    const body = bytes.subarray(first, last + 1);
    const range = { 'Content-Range': `bytes ${first}-${last}/${bytes.length}` };
    const all = { ...headers, ...(asked === null ? {} : range), 'Content-Length': body.length };
    setTimeout(() => res.writeHead(asked === null ? 200 : 206, all).end(body), 200);
  };
}

const bytesOf = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, n) => (n * 31 + (n >> 8)) % 251));
const ranged = (path: string, range: string, colo = 0, more = {}) =>
  ask(at.edge, path, { headers: { Range: range, ...more } }, colo);
const crowd = (path: string, range: string) => Promise.all(Array.from({ length: 20 }, () => ranged(path, range)));
const askedOf = (path: string) => at.origin.seen.filter((seen) => seen.path === path).map((seen) => seen.headers.range);
/** Home answers nothing of this path any more. */
const unplug = (path: string) => at.origin.handle(path, (_, res) => void res.socket?.resetAndDestroy());

test('twenty readers who ask for `bytes=0-` cost one request, and home is not needed for the next', async () => {
  const path = '/from-start.mp4';
  const bytes = bytesOf(3 * MB);
  at.origin.handle(path, film(bytes));
  for (const { status, headers, body } of await crowd(path, 'bytes=0-')) {
    expect([status, headers['content-range']]).toEqual([206, `bytes 0-${3 * MB - 1}/${3 * MB}`]);
    expect([headers['content-length'], body.equals(bytes)]).toEqual([`${3 * MB}`, true]);
  }
  expect(askedOf(path)).toEqual([undefined]);
  await sleep(1_000);
  unplug(path);
  for (const colo of [0, 1]) {
    const seek = await ranged(path, 'bytes=2000000-2000009', colo);
    expect([seek.status, seek.body.equals(bytes.subarray(2_000_000, 2_000_010))]).toEqual([206, true]);
    expect((await ranged(path, 'bytes=0-', colo)).body.equals(bytes)).toBe(true);
  }
});

test('readers of one large file share the copy in memory, and each gets all of it', async () => {
  const path = '/shared.pdf';
  const bytes = bytesOf(12 * MB);
  at.origin.handle(path, film(bytes));
  expect((await ask(at.edge, path)).body.equals(bytes)).toBe(true);
  await sleep(1_000);
  for (const answer of await Promise.all(Array.from({ length: 6 }, () => ask(at.edge, path)))) {
    expect(answer.headers['cache-status']).toContain('detail=memory');
    expect([answer.headers['content-length'], answer.body.equals(bytes)]).toEqual([`${12 * MB}`, true]);
  }
  const part = await ranged(path, 'bytes=2000000-8999999');
  expect([part.headers['content-length'], part.body.equals(bytes.subarray(2 * MB, 9 * MB))]).toEqual([
    `${7 * MB}`,
    true,
  ]);
  expect(askedOf(path)).toEqual([undefined]);
});

test('it is answered while it comes: the first bytes do not wait for the last', async () => {
  const path = '/slow.mp4';
  let rest: (() => void) | undefined;
  at.origin.handle(path, (_, res) => {
    res.writeHead(200, { 'Cache-Control': 'max-age=60', 'Content-Length': '20', ETag: '"slow"' });
    res.write('0123456789');
    rest = () => void res.end('abcdefghij');
  });
  const answer = fetch(`${at.edge.url()}${path}`, { headers: { Range: 'bytes=0-' } });
  const { status, headers, body } = await answer;
  expect([status, headers.get('content-range')]).toEqual([206, 'bytes 0-19/20']);
  const reader = body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('0123456789');
  rest?.();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('abcdefghij');
});

test.each([
  ['a small part', 'bytes=1000000-1000999', 1_000],
  ['a part too large to be kept', 'bytes=1000000-2999999', 2 * MB],
])('%s is asked for once, and the whole once behind it', async (name, range, length) => {
  const path = `/${name.replaceAll(' ', '-')}.mp4`;
  const bytes = bytesOf(3 * MB);
  at.origin.handle(path, film(bytes));
  for (const { status, body } of await crowd(path, range))
    expect([status, body.equals(bytes.subarray(MB, MB + length))]).toEqual([206, true]);
  await poll(async () => askedOf(path).length === 2, 10_000);
  expect(askedOf(path)).toEqual([range, undefined]);
  await sleep(1_000);
  unplug(path);
  for (const colo of [0, 1])
    expect((await ranged(path, 'bytes=7-9', colo)).body.equals(bytes.subarray(7, 10))).toBe(true);
});

test('an origin without ranges is asked once by range and once for the whole, however many ask', async () => {
  const bytes = bytesOf(5_000);
  at.origin.handle('/plain.mp3', film(bytes, {}, false));
  for (const { status, body } of await crowd('/plain.mp3', 'bytes=10-19'))
    expect([status, body.equals(bytes.subarray(10, 20))]).toEqual([206, true]);
  // What came of a range may have been shaped by it, and the range is in no key: it is not kept.
  expect(askedOf('/plain.mp3')).toEqual(['bytes=10-19', undefined]);
});

test('no whole is asked for where it could not be kept', async () => {
  const large = Buffer.alloc(27 * MB, 'x');
  at.origin.handle('/large.mp4', film(large));
  at.origin.handle('/secret.mp4', film(bytesOf(5_000), { 'Cache-Control': 'private' }));
  for (const path of ['/large.mp4', '/secret.mp4']) {
    expect((await ranged(path, 'bytes=5-9')).body.length).toBe(5);
    await sleep(500);
    expect(askedOf(path)).toEqual(['bytes=5-9']);
  }
  // From its start it is a part all the same: players would not play a 200.
  const { status, headers, body } = await ranged('/large.mp4', 'bytes=0-');
  expect([status, headers['content-range'], body.length]).toEqual([206, `bytes 0-${27 * MB - 1}/${27 * MB}`, 27 * MB]);
});

test('`If-Range` of another version is given the whole', async () => {
  at.origin.handle('/if-range.mp4', film(bytesOf(5_000)));
  const answers = [await ranged('/if-range.mp4', 'bytes=0-', 0, { 'If-Range': '"other"' })];
  answers.push(await ranged('/if-range.mp4', 'bytes=0-', 0, { 'If-Range': '"film"' }));
  expect(answers.map(({ status }) => status)).toEqual([200, 206]);
});

test('who wants only what is stored is not sent home for a part', async () => {
  at.origin.handle('/only.mp4', film(bytesOf(5_000)));
  const { status } = await ranged('/only.mp4', 'bytes=5-9', 0, { 'Cache-Control': 'only-if-cached' });
  expect([status, askedOf('/only.mp4')]).toEqual([504, []]);
});
