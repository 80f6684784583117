import { describe, expect, test } from 'vitest';
import type { Fault } from '../support/origin.ts';
import { poll, sleep } from '../support/program.ts';
import { ask, home, ledgerSeq, pageBody, purge } from './support.ts';

const MB = 1024 * 1024;
const at = home({ colos: 2, env: { PORCHLIGHT_VARS: JSON.stringify({ FIRST_BYTE_MS: '3000' }) } });

const BODY = pageBody('whole', 1, 40_000);

/** Bodies that end badly. A page that is answered so may reach its reader broken, and nobody else. */
const BROKEN: [name: string, fault: Fault][] = [
  ['truncated', { kind: 'truncate', afterBytes: 10_000 }],
  ['truncated by one byte', { kind: 'truncate', afterBytes: Buffer.byteLength(BODY) - 1 }],
  ['truncated in chunks', { kind: 'truncate-chunked', afterBytes: 10_000 }],
  ['reset in mid-body', { kind: 'reset', afterBytes: 10_000 }],
  ['reset before the head', { kind: 'reset' }],
  ['gzip that is none', { kind: 'bad-gzip', form: 'plain' }],
  ['gzip cut short', { kind: 'bad-gzip', form: 'cut' }],
  ['gzip with a wrong checksum', { kind: 'bad-gzip', form: 'checksum' }],
  ['stalled', { kind: 'stall', afterBytes: 10_000 }],
  ['never answered', { kind: 'hang' }],
  ['login page, 302', { kind: 'login-page', form: 302 }],
  ['login page, 200', { kind: 'login-page', form: 200 }],
  ['502', { kind: 'status', status: 502 }],
  ['503', { kind: 'status', status: 503 }],
  ['530 of the tunnel', { kind: 'status', status: 530 }],
];

const slug = (name: string): string => name.replace(/\W+/g, '-');
const isWhole = (text: string): boolean => text === BODY;

/** Waits until the breaker lets requests through again: an origin that failed three times is left alone for a while. */
async function healed(colo = 0): Promise<void> {
  at.origin.publish('/probe', 'alive', { 'Cache-Control': 'no-store' });
  const alive = async () => (await ask(at.edge, '/probe', {}, colo)).text === 'alive';
  expect(await poll(alive, 40_000, 200)).toBe(true);
}

describe.each(BROKEN)('%s', (name, fault) => {
  test('does not become a stored response', async () => {
    await healed();
    const path = `/new/${slug(name)}`;
    at.origin.publish(path, BODY);
    at.origin.fault(path, fault);
    const first = await ask(at.edge, path);
    expect(first.status === 200 && first.complete && !isWhole(first.text)).toBe(false);
    at.origin.fault(path, null);
    for (const colo of [0, 1]) {
      await healed(colo);
      const next = await ask(at.edge, path, {}, colo);
      expect([next.status, next.complete, isWhole(next.text)]).toEqual([200, true, true]);
    }
  });

  test('does not replace one', async () => {
    await healed();
    const path = `/old/${slug(name)}`;
    at.origin.publish(path, BODY);
    expect(isWhole((await ask(at.edge, path)).text)).toBe(true);
    await purge(at.edge, { urls: [path] });
    // A body of another version, so that a 304 cannot save it.
    at.origin.publish(path, pageBody('whole', 2, 40_000));
    at.origin.fault(path, fault);
    const during = await ask(at.edge, path);
    expect(during.status === 200 && during.complete && !isWhole(during.text)).toBe(false);
    if (fault.kind === 'bad-gzip' && fault.form !== 'plain') await sleep(200);
    await at.origin.kill();
    try {
      for (const colo of [0, 1]) {
        const outage = await ask(at.edge, path, {}, colo);
        expect([outage.status, outage.complete, isWhole(outage.text)]).toEqual([200, true, true]);
      }
    } finally {
      await at.origin.restart();
      at.origin.fault(path, null);
    }
  });
});

describe('a body too large to keep', () => {
  const size = 27 * MB;
  test.each([false, true])('streams through, chunked: %s, and is not archived', async (chunked) => {
    await healed();
    const path = `/large/${chunked}`;
    at.origin.publish(path, 'small');
    at.origin.fault(path, { kind: 'oversized', bytes: size, chunked });
    for (const count of [1, 2]) {
      const answer = await ask(at.edge, path, { timeoutMs: 60_000 });
      expect([answer.status, answer.complete, answer.body.length]).toEqual([200, true, size]);
      expect(at.origin.count(path)).toBe(count);
    }
    await at.origin.kill();
    try {
      expect((await ask(at.edge, path, {}, 1)).status).toBe(503);
    } finally {
      await at.origin.restart();
      at.origin.fault(path, null);
    }
  });

  test('does not replace a good page', async () => {
    await healed();
    at.origin.publish('/grown', BODY, { 'Cache-Control': 'max-age=1' });
    expect(isWhole((await ask(at.edge, '/grown')).text)).toBe(true);
    await sleep(1_100);
    at.origin.publish('/grown', 'other');
    at.origin.fault('/grown', { kind: 'oversized', bytes: size, chunked: true });
    expect((await ask(at.edge, '/grown', { timeoutMs: 60_000 })).body.length).toBe(size);
    await at.origin.kill();
    try {
      for (const colo of [0, 1]) expect(isWhole((await ask(at.edge, '/grown', {}, colo)).text)).toBe(true);
    } finally {
      await at.origin.restart();
    }
  });
});

test('an endless body flows as long as its reader does, and ends with it', async () => {
  await healed();
  at.origin.publish('/endless', 'x');
  at.origin.fault('/endless', { kind: 'endless' });
  const answer = await ask(at.edge, '/endless', { leaveAfterBytes: 40 * MB, timeoutMs: 60_000 });
  expect(answer.status).toBe(200);
  expect(answer.body.length).toBeGreaterThanOrEqual(40 * MB);
  // Home is let go of: the exchange ends there as well.
  const over = () => at.origin.seen.filter(({ path }) => path === '/endless').every(({ status }) => status === 200);
  expect(await poll(over, 60_000)).toBe(true);
  at.origin.fault('/endless', null);
  at.origin.publish('/endless', BODY);
  expect(isWhole((await ask(at.edge, '/endless', {}, 1)).text)).toBe(true);
});

test('a client that leaves does not abort the fill', async () => {
  await healed();
  at.origin.publish('/leave', BODY);
  at.origin.fault('/leave', { kind: 'drip', chunkBytes: 4_000, everyMs: 100 });
  const left = await ask(at.edge, '/leave', { leaveAfterBytes: 1 });
  expect(left.complete).toBe(false);
  const stored = async () => (await ask(at.edge, '/leave', {}, 1)).headers['cache-status']?.includes('hit') === true;
  expect(await poll(stored, 20_000)).toBe(true);
  expect(at.origin.count('/leave')).toBe(1);
  expect(isWhole((await ask(at.edge, '/leave')).text)).toBe(true);
});

test('a rejected or broken answer writes nothing to the ledger', async () => {
  const before = await ledgerSeq(at.edge);
  at.origin.publish('/unwritten', BODY);
  at.origin.fault('/unwritten', { kind: 'truncate', afterBytes: 100 });
  await ask(at.edge, '/unwritten');
  expect(await ledgerSeq(at.edge)).toBe(before);
});
