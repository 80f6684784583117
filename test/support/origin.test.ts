import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { get } from './http.ts';
import { type Fault, Origin } from './origin.ts';

let origin: Origin;
beforeEach(async () => {
  origin = await Origin.start();
});
afterEach(() => origin.close());

const PAGE = 'x'.repeat(10_000);

describe('pages', () => {
  test('are counted per path and replaced by version', async () => {
    expect(origin.publish('/a', 'one')).toBe(1);
    expect((await get(origin.port, '/a')).text).toBe('one');
    expect(origin.publish('/a', 'two', { 'Cache-Tag': 'post:a' })).toBe(2);
    const second = await get(origin.port, '/a?q=1');
    expect(second.text).toBe('two');
    expect(second.headers).toMatchObject({ 'cache-tag': 'post:a', 'cache-control': 'public, max-age=3600' });
    expect((await get(origin.port, '/b')).status).toBe(404);
    expect([origin.count('/a'), origin.count('/a?q=1'), origin.count('/b'), origin.count()]).toEqual([2, 1, 1, 3]);
    origin.forget();
    expect(origin.count()).toBe(0);
  });

  test('answer HEAD without a body and a matching If-None-Match with 304', async () => {
    origin.publish('/a', 'one');
    const head = await get(origin.port, '/a', { method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '3', 0]);
    const again = await get(origin.port, '/a', { headers: { 'If-None-Match': head.headers.etag ?? '' } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  test('see the request byte for byte', async () => {
    origin.handle('/x/..%2f//%00?b&a', (_req, res, body) => void res.end(body));
    const answer = await get(origin.port, '/x/..%2f//%00?b&a', {
      method: 'POST',
      headers: [
        ['X-Twice', '1'],
        ['x-tWICE', '2'],
      ],
      body: 'sent',
    });
    expect(answer.text).toBe('sent');
    const raw = origin.seen[0]?.rawHeaders ?? [];
    expect(raw.filter((_, i) => i % 2 === 0 && /^x-/i.test(raw[i] ?? ''))).toEqual(['X-Twice', 'x-tWICE']);
  });
});

describe('faults that break the message', () => {
  const cases: [Fault, { status: number; bytes: number }][] = [
    [
      { kind: 'truncate', afterBytes: 4000 },
      { status: 200, bytes: 4000 },
    ],
    [
      { kind: 'truncate-chunked', afterBytes: 4000 },
      { status: 200, bytes: 4000 },
    ],
    [
      { kind: 'truncate-chunked', afterBytes: 0 },
      { status: 200, bytes: 0 },
    ],
    [
      { kind: 'reset', afterBytes: 4000 },
      { status: 200, bytes: 4000 },
    ],
  ];
  test.each(cases)('%j', async (fault, expected) => {
    origin.publish('/a', PAGE);
    origin.fault('/a', fault);
    const answer = await get(origin.port, '/a');
    expect(answer.complete).toBe(false);
    expect(answer.status).toBe(expected.status);
    // A reset may overtake bytes that were sent before it.
    if (fault.kind === 'reset') expect(answer.body.length).toBeLessThanOrEqual(expected.bytes);
    else expect(answer.body.length).toBe(expected.bytes);
  });

  test('reset before the head', async () => {
    origin.fault('*', { kind: 'reset' });
    await expect(get(origin.port, '/a')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test.each([{ kind: 'hang' }, { kind: 'stall', afterBytes: 100 }] as Fault[])('%j is silent', async (fault) => {
    origin.publish('/a', PAGE);
    origin.fault('/a', fault);
    await expect(get(origin.port, '/a', { timeoutMs: 300 })).rejects.toThrow('within 300 ms');
  });

  test('endless goes on until the client leaves', async () => {
    origin.publish('/a', PAGE);
    origin.fault('/a', { kind: 'endless' });
    const answer = await get(origin.port, '/a', { leaveAfterBytes: 1_000_000 });
    expect(answer.complete).toBe(false);
    expect(answer.body.length).toBeGreaterThanOrEqual(1_000_000);
  });
});

describe('faults in a whole message', () => {
  async function faulty(fault: Fault, times?: number) {
    origin.publish('/a', PAGE);
    origin.fault('/a', fault, times);
    const answer = await get(origin.port, '/a');
    expect(answer.complete).toBe(true);
    return answer;
  }

  test('delay', async () => {
    const answer = await faulty({ kind: 'delay', ms: 120 });
    expect(answer.text).toBe(PAGE);
    expect(answer.firstByteMs).toBeGreaterThanOrEqual(110);
  });

  test('drip', async () => {
    expect((await faulty({ kind: 'drip', chunkBytes: 2500, everyMs: 5 })).text).toBe(PAGE);
  });

  test.each([false, true])('oversized, chunked %s', async (chunked) => {
    const answer = await faulty({ kind: 'oversized', bytes: 3_000_001, chunked });
    expect(answer.body.length).toBe(3_000_001);
    expect(answer.headers['content-length']).toBe(chunked ? undefined : '3000001');
  });

  test('gzip, good and bad', async () => {
    const good = await faulty({ kind: 'gzip' });
    expect(good.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(good.body).toString()).toBe(PAGE);
    for (const form of ['plain', 'cut', 'checksum'] as const) {
      const bad = await faulty({ kind: 'bad-gzip', form });
      expect(() => gunzipSync(bad.body)).toThrow();
    }
  });

  test('status, cookies, private, login pages', async () => {
    expect((await faulty({ kind: 'status', status: 503, headers: { 'Retry-After': '5' } })).status).toBe(503);
    expect((await faulty({ kind: 'set-cookie' })).rawHeaders.filter(([n]) => n === 'Set-Cookie')).toHaveLength(2);
    expect((await faulty({ kind: 'private' })).headers['cache-control']).toContain('private');
    expect((await faulty({ kind: 'login-page', form: 200 })).text).toContain('Sign in');
    expect((await faulty({ kind: 'login-page', form: 302 })).headers.location).toContain('cloudflareaccess');
  });

  test('heal after a number of requests, or by hand', async () => {
    expect((await faulty({ kind: 'status', status: 500 }, 1)).status).toBe(500);
    expect((await get(origin.port, '/a')).status).toBe(200);
    origin.fault('/a', { kind: 'status', status: 500 });
    origin.fault('/a', null);
    expect((await get(origin.port, '/a')).status).toBe(200);
  });
});

test('kill resets what is open and refuses what is new, restart brings the pages back', async () => {
  origin.publish('/a', PAGE);
  origin.fault('/a', { kind: 'delay', ms: 60_000 }, 1);
  const waiting = get(origin.port, '/a').catch((error: NodeJS.ErrnoException) => error.code);
  while (origin.count('/a') === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await origin.kill();
  expect(await waiting).toBe('ECONNRESET');
  await expect(get(origin.port, '/a')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await origin.restart();
  expect((await get(origin.port, '/a')).text).toBe(PAGE);
});
