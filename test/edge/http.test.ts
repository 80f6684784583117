import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { poll, sleep } from '../support/program.ts';
import { ask, home, pageBody } from './support.ts';

const at = home({ colos: 2 });

const BYTES = Buffer.from(Array.from({ length: 10_000 }, (_, i) => 97 + (i % 26)));
const MODIFIED = 'Sat, 03 Oct 2026 10:00:00 GMT';

async function stored(path: string, headers: Record<string, string | string[]> = {}): Promise<string> {
  at.origin.publish(path, BYTES, { 'Last-Modified': MODIFIED, ...headers });
  const { headers: answered } = await ask(at.edge, path);
  return answered.etag ?? '';
}

describe('ranges of a stored page', () => {
  const SINGLE: [range: string, from: number, to: number][] = [
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=9990-', 9_990, 9_999],
    ['bytes=9990-99999', 9_990, 9_999],
    ['bytes=-5', 9_995, 9_999],
    ['bytes=-99999', 0, 9_999],
    ['Bytes=1-2', 1, 2],
    ['bytes=0-9,10-19', 0, 19],
  ];
  test.each(SINGLE)('%s', async (range, from, to) => {
    await stored('/ranged');
    const before = at.origin.count('/ranged');
    const answer = await ask(at.edge, '/ranged', { headers: { Range: range } });
    expect([answer.status, answer.headers['content-range']]).toEqual([206, `bytes ${from}-${to}/10000`]);
    expect(answer.body.equals(BYTES.subarray(from, to + 1))).toBe(true);
    expect(answer.headers['content-length']).toBe(String(to - from + 1));
    expect(at.origin.count('/ranged')).toBe(before);
  });

  test('several at once are multipart', async () => {
    await stored('/ranged');
    const answer = await ask(at.edge, '/ranged', { headers: { Range: 'bytes=0-9, 100-109,-10' } });
    expect(answer.status).toBe(206);
    const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(answer.headers['content-type'] ?? '')?.[1];
    const parts = answer.text.split(`--${boundary}`).slice(1, -1);
    const expected = [
      ['bytes 0-9/10000', BYTES.subarray(0, 10)],
      ['bytes 100-109/10000', BYTES.subarray(100, 110)],
      ['bytes 9990-9999/10000', BYTES.subarray(-10)],
    ] as const;
    expect(parts).toHaveLength(expected.length);
    for (const [i, [range, bytes]] of expected.entries()) {
      const [head = '', body = ''] = (parts[i] ?? '').split('\r\n\r\n');
      expect(head).toContain(`Content-Range: ${range}`);
      expect(body.replace(/\r\n$/, '')).toBe(bytes.toString());
    }
  });

  test('beyond the end are 416, malformed or of another unit are ignored', async () => {
    await stored('/ranged');
    const beyond = await ask(at.edge, '/ranged', { headers: { Range: 'bytes=10000-' } });
    expect([beyond.status, beyond.headers['content-range'], beyond.body.length]).toEqual([416, 'bytes */10000', 0]);
    for (const range of [
      'bytes=2-1',
      'bytes=a-b',
      'lines=1-2',
      'bytes=',
      'bytes=--1',
      `bytes=${'0-0,'.repeat(50)}1-1`,
    ]) {
      const answer = await ask(at.edge, '/ranged', { headers: { Range: range } });
      expect([answer.status, answer.body.length]).toEqual([200, BYTES.length]);
    }
  });

  test('If-Range gives the part only of the very same representation', async () => {
    const etag = await stored('/ranged');
    const status = async (condition: string) =>
      (await ask(at.edge, '/ranged', { headers: { Range: 'bytes=0-9', 'If-Range': condition } })).status;
    expect(await status(etag)).toBe(206);
    expect(await status(MODIFIED)).toBe(206);
    expect(await status(`W/${etag}`)).toBe(200);
    expect(await status('"other"')).toBe(200);
    expect(await status('Sat, 03 Oct 2026 10:00:01 GMT')).toBe(200);
  });

  test('HEAD knows none', async () => {
    await stored('/ranged');
    const answer = await ask(at.edge, '/ranged', { method: 'HEAD', headers: { Range: 'bytes=0-9' } });
    expect([answer.status, answer.headers['content-length']]).toEqual([200, '10000']);
  });
});

describe('conditional requests', () => {
  test('are answered from the store', async () => {
    const etag = await stored('/conditional');
    at.origin.forget();
    const cases: [headers: Record<string, string>, status: number][] = [
      [{ 'If-None-Match': etag }, 304],
      [{ 'If-None-Match': `W/${etag}` }, 304],
      [{ 'If-None-Match': `"a,b", ${etag}` }, 304],
      [{ 'If-None-Match': '"other"' }, 200],
      [{ 'If-None-Match': '"other"', 'If-Modified-Since': MODIFIED }, 200],
      [{ 'If-Modified-Since': MODIFIED }, 304],
      [{ 'If-Modified-Since': 'Fri, 02 Oct 2026 10:00:00 GMT' }, 200],
      [{ 'If-Modified-Since': 'no date' }, 200],
      [{ 'If-None-Match': etag, Range: 'bytes=0-9' }, 304],
    ];
    for (const [headers, status] of cases) {
      const answer = await ask(at.edge, '/conditional', { headers });
      expect([headers, answer.status]).toEqual([headers, status]);
      if (status === 304) expect([answer.body.length, answer.headers.etag]).toEqual([0, etag]);
    }
    expect(at.origin.count()).toBe(0);
  });

  test('of a reader do not become conditions of a fill', async () => {
    at.origin.publish('/unfilled', BYTES);
    const answer = await ask(at.edge, '/unfilled', { headers: { 'If-None-Match': '"anything"' } });
    expect([answer.status, answer.body.length]).toEqual([200, BYTES.length]);
    expect(at.origin.seen.at(-1)?.headers['if-none-match']).toBeUndefined();
  });

  test('an expired page is validated with what home gave it', async () => {
    const etag = await stored('/validated', { 'Cache-Control': 'max-age=1' });
    await sleep(1_100);
    const answer = await ask(at.edge, '/validated');
    expect([answer.status, answer.body.equals(BYTES)]).toEqual([200, true]);
    expect(answer.headers['cache-status']).toMatch(/fwd=stale; fwd-status=304/);
    expect(at.origin.seen.at(-1)?.headers).toMatchObject({ 'if-none-match': etag, 'if-modified-since': MODIFIED });
  });
});

describe('HEAD', () => {
  test('is answered by what GET stored, and fills the store for GET', async () => {
    at.origin.publish('/head', BYTES);
    const head = await ask(at.edge, '/head', { method: 'HEAD' });
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, '10000']);
    const hit = async () => (await ask(at.edge, '/head')).headers['cache-status']?.includes('hit') === true;
    expect(await poll(hit, 10_000)).toBe(true);
    expect(at.origin.count('/head')).toBe(1);
    expect((await ask(at.edge, '/head')).body.equals(BYTES)).toBe(true);
  });
});

describe('stale answers', () => {
  test('stale-while-revalidate answers at once and asks home behind the answer', async () => {
    await stored('/swr', { 'Cache-Control': 'max-age=1, stale-while-revalidate=600' });
    at.origin.publish('/swr', 'new', { 'Cache-Control': 'max-age=600' });
    at.origin.fault('/swr', { kind: 'delay', ms: 1_000 }, 1);
    await sleep(1_100);
    const stale = await ask(at.edge, '/swr');
    expect([stale.body.equals(BYTES), stale.headers['cache-status']]).toEqual([true, expect.stringContaining('hit')]);
    const renewed = async () => (await ask(at.edge, '/swr')).text === 'new';
    expect(await poll(renewed, 10_000)).toBe(true);
    expect(at.origin.count('/swr')).toBe(2);
  });

  test('stale-if-error stands in for a 500, and says so', async () => {
    await stored('/sie', { 'Cache-Control': 'max-age=1, stale-if-error=600' });
    at.origin.fault('/sie', { kind: 'status', status: 500 });
    await sleep(1_100);
    const answer = await ask(at.edge, '/sie');
    expect([answer.status, answer.body.equals(BYTES)]).toEqual([200, true]);
    expect(answer.headers['cache-status']).toMatch(/fwd-status=500.*stale-if-error/);
    expect(Number(answer.headers.age)).toBeGreaterThanOrEqual(1);
  });

  test('must-revalidate gives none, not even in an outage', async () => {
    const paths = ['/strict/must', '/strict/proxy', '/strict/s', '/strict/no-cache'];
    const said = ['max-age=1, must-revalidate', 'max-age=1, proxy-revalidate', 's-maxage=1', 'no-cache'];
    for (const [i, path] of paths.entries()) await stored(path, { 'Cache-Control': said[i] ?? '' });
    await stored('/lenient', { 'Cache-Control': 'max-age=1' });
    await sleep(1_100);
    await at.origin.kill();
    try {
      for (const colo of [0, 1])
        for (const path of paths) expect([path, (await ask(at.edge, path, {}, colo)).status]).toEqual([path, 503]);
      expect((await ask(at.edge, '/lenient', {}, 1)).status).toBe(200);
    } finally {
      await at.origin.restart();
      // Each data centre keeps its own breaker, and what follows asks both.
      for (const colo of [0, 1]) {
        const back = async () => (await ask(at.edge, '/lenient/probe', {}, colo)).status === 404;
        expect(await poll(back, 40_000, 250)).toBe(true);
      }
    }
  });
});

describe('what home says is passed on', () => {
  test.each([301, 302, 307, 308])("redirect %i is the reader's to follow", async (status) => {
    const path = `/redirect/${status}`;
    at.origin.publish(path, '', { Location: '/ranged?x=1', 'Cache-Control': 'max-age=600' }, status);
    for (let i = 0; i < 2; i += 1) {
      const answer = await ask(at.edge, path);
      expect([answer.status, answer.headers.location]).toEqual([status, '/ranged?x=1']);
    }
    expect(at.origin.count(path)).toBe(1);
  });

  test('a request that went in circles is refused', async () => {
    const before = at.origin.count();
    const answer = await ask(at.edge, '/loop', { headers: { 'CDN-Loop': 'other; v=1, porchlight' } });
    expect([answer.status, answer.headers['cache-control'], at.origin.count()]).toEqual([508, 'no-store', before]);
    const first = await ask(at.edge, '/loop', { headers: { 'CDN-Loop': 'notporchlight' } });
    expect(first.status).toBe(404);
  });

  test('a page that comes compressed is stored and answered right', async () => {
    const text = pageBody('/gzip', 1, 30_000);
    at.origin.handle('/gzip', (req, res) => {
      expect(req.headers['accept-encoding']).toContain('gzip');
      const headers = {
        'Content-Type': 'text/html',
        'Cache-Control': 'max-age=600',
        ETag: '"z"',
        Vary: 'Accept-Encoding',
      };
      res.writeHead(200, { ...headers, 'Content-Encoding': 'gzip' }).end(gzipSync(text));
    });
    for (const colo of [0, 0, 1]) {
      const answer = await ask(at.edge, '/gzip', {}, colo);
      expect([answer.status, answer.headers['content-encoding'], answer.text === text]).toEqual([200, undefined, true]);
    }
    const range = await ask(at.edge, '/gzip', { headers: { Range: 'bytes=0-14' } });
    expect([range.status, range.text]).toEqual([206, text.slice(0, 15)]);
    expect((await ask(at.edge, '/gzip', { headers: { 'If-None-Match': 'W/"z"' } })).status).toBe(304);
  });

  test('hop-by-hop fields and surrogate words stay behind', async () => {
    at.origin.publish('/hops', 'page', {
      Connection: 'X-Hop',
      'X-Hop': '1',
      'Surrogate-Control': 'max-age=9',
      'X-End': '2',
    });
    for (let i = 0; i < 2; i += 1) {
      const { headers } = await ask(at.edge, '/hops', { headers: { 'Keep-Alive': '1', 'X-Forwarded-For': '1.2.3.4' } });
      expect([headers['x-hop'], headers['surrogate-control'], headers['x-end']]).toEqual([undefined, undefined, '2']);
    }
    const sent = at.origin.seen.find(({ path }) => path === '/hops')?.headers ?? {};
    expect([sent['keep-alive'], sent['x-forwarded-for'], sent.via]).toEqual([undefined, undefined, '1.1 porchlight']);
  });

  test('Cache-Status and Age are always there', async () => {
    at.origin.publish('/said', 'page');
    const miss = await ask(at.edge, '/said');
    expect(miss.headers['cache-status']).toMatch(/^porchlight; fwd=uri-miss; fwd-status=200; ttl=\d+; stored/);
    const hit = await ask(at.edge, '/said');
    expect(hit.headers['cache-status']).toMatch(/^porchlight; hit; ttl=\d+; detail=memory$/);
    expect(hit.headers.age).toMatch(/^\d+$/);
    expect(hit.headers['server-timing']).toContain('cache;desc=');
  });
});
