import { describe, expect, test } from 'vitest';
import { EDGE_TOKEN, startEdge } from '../support/edge.ts';
import { admin, ask, home, ledgerSeq, ndjson, pageBody, purge } from './support.ts';

/** Example value, as the token of the other tests. */
const OLD_TOKEN = 'older-token-0123456789abcdef';

const at = home({ env: { EDGE_TOKEN: `test:${EDGE_TOKEN}, older:${OLD_TOKEN}` } });

interface Refused {
  readonly error: { readonly code: string; readonly message: string; readonly field?: string };
}
const errorOf = (text: string): Refused['error'] => (JSON.parse(text) as Refused).error;

/** The page is still a hit, and the ledger still at the same number: nothing happened. */
async function unchanged(work: () => Promise<void>): Promise<void> {
  at.origin.publish('/kept', pageBody('/kept'), { 'Cache-Tag': 'kept' });
  await ask(at.edge, '/kept');
  const before = await ledgerSeq(at.edge);
  await work();
  expect(await ledgerSeq(at.edge)).toBe(before);
  expect((await ask(at.edge, '/kept')).headers['cache-status']).toContain('hit');
}

describe('who may use it', () => {
  const WRONG: [name: string, authorization: string | undefined][] = [
    ['nobody', undefined],
    ['an empty token', 'Bearer '],
    ['another token', 'Bearer wrong-token-0123456789abcdef'],
    ['the beginning of the token', `Bearer ${EDGE_TOKEN.slice(0, -1)}`],
    ['the token and more', `Bearer ${EDGE_TOKEN}x`],
    ['the token with its name', `Bearer test:${EDGE_TOKEN}`],
    ['both tokens', `Bearer ${EDGE_TOKEN},${OLD_TOKEN}`],
    ['the token by another scheme', `Basic ${Buffer.from(`test:${EDGE_TOKEN}`).toString('base64')}`],
    ['the token in capitals', `Bearer ${EDGE_TOKEN.toUpperCase()}`],
    ['the token alone', EDGE_TOKEN],
  ];
  test.each(WRONG)('not %s', async (_name, authorization) => {
    await unchanged(async () => {
      for (const what of ['purge', 'warm']) {
        const headers = authorization === undefined ? {} : { Authorization: authorization };
        const body = what === 'purge' ? '{"everything": true}' : '{"urls": ["/kept"]}';
        const answer = await ask(at.edge, `/.porchlight/${what}`, { method: 'POST', headers, body });
        expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Bearer realm="porchlight"']);
        expect(answer.headers['cache-control']).toBe('no-store');
        expect(errorOf(answer.text).code).toBe('unauthorized');
        expect(answer.text).not.toContain(EDGE_TOKEN);
      }
    });
  });

  test('each of several tokens, so that they can be changed one after the other', async () => {
    for (const token of [EDGE_TOKEN, OLD_TOKEN])
      expect((await admin(at.edge, 'purge', { urls: ['/x'] }, { token })).status).toBe(200);
  });

  test('nobody at all where no token is configured', async () => {
    const bare = await startEdge({ origin: at.origin.url, env: { EDGE_TOKEN: '' } });
    try {
      for (const token of ['', EDGE_TOKEN])
        expect((await admin(bare, 'purge', { everything: true }, { token })).status).toBe(401);
    } finally {
      await bare.stop();
    }
  });

  test('other methods and paths are told so', async () => {
    const status = async (method: string, path: string) => (await ask(at.edge, path, { method })).status;
    expect(await status('GET', '/.porchlight/purge')).toBe(405);
    expect(await status('POST', '/.porchlight/health')).toBe(405);
    expect(await status('GET', '/.porchlight/')).toBe(404);
    expect(await status('GET', '/.porchlight/ledger')).toBe(404);
    expect(await status('GET', '/.porchlight/cache/blog%3A%2Fkept')).toBe(404);
    expect(at.origin.seen.filter(({ path }) => path.startsWith('/.porchlight'))).toEqual([]);
  });
});

describe('bad input names its field and changes nothing', () => {
  const PURGES: [body: unknown, field: string | undefined][] = [
    ['no json', ''],
    ['', ''],
    ['[]', ''],
    ['null', ''],
    ['"everything"', ''],
    [{}, ''],
    [{ tags: [] }, ''],
    [{ everything: false }, ''],
    [{ tags: 'post:a' }, 'tags'],
    [{ tags: { 0: 'a' } }, 'tags'],
    [{ tags: ['a', 1] }, 'tags[1]'],
    [{ tags: ['a', ''] }, 'tags[1]'],
    [{ tags: ['a b'] }, 'tags[0]'],
    [{ tags: ['a', 'b', 'c,d'] }, 'tags[2]'],
    [{ tags: ['x'.repeat(1_025)] }, 'tags[0]'],
    [{ urls: ['kept'] }, 'urls[0]'],
    [{ urls: ['/kept', null] }, 'urls[1]'],
    [{ urls: ['ftp://localhost/kept'] }, 'urls[0]'],
    [{ urls: ['http://'] }, 'urls[0]'],
    [{ prefixes: ['posts/'] }, 'prefixes[0]'],
    [{ prefixes: [['/posts/']] }, 'prefixes[0]'],
    [{ everything: 'yes' }, 'everything'],
    [{ everything: 1 }, 'everything'],
    [{ tags: ['kept'], mode: 'erase' }, 'mode'],
    [{ tags: ['kept'], mode: null }, 'mode'],
    [{ tags: ['kept'], id: '' }, 'id'],
    [{ tags: ['kept'], id: 7 }, 'id'],
    [{ tags: ['kept'], id: 'two words' }, 'id'],
    [{ tags: ['kept'], id: 'x'.repeat(201) }, 'id'],
    [{ tag: ['kept'] }, 'tag'],
    [{ tags: ['kept'], hosts: ['localhost'] }, 'hosts'],
    // One wrong item spoils the whole: the right one before it is not purged either.
    [{ tags: ['kept'], urls: ['/kept', 'wrong'] }, 'urls[1]'],
    [{ tags: Array.from({ length: 1_001 }, (_, i) => `t${i}`) }, ''],
  ];
  test.each(PURGES)('purge %j', async (body, field) => {
    await unchanged(async () => {
      const answer = await admin(at.edge, 'purge', body);
      expect([answer.status, errorOf(answer.text).field]).toEqual([400, field]);
      expect(errorOf(answer.text).message.length).toBeGreaterThan(10);
    });
  });

  const WARMS: [body: unknown, field: string][] = [
    ['{', ''],
    [{}, ''],
    [{ urls: [] }, ''],
    [{ urls: '/' }, 'urls'],
    [{ urls: ['/', 3] }, 'urls[1]'],
    [{ urls: Array.from({ length: 5_001 }, () => '/') }, 'urls'],
    [{ sitemap: '' }, 'sitemap'],
    [{ sitemap: ['/sitemap.xml'] }, 'sitemap'],
    [{ url: '/' }, 'url'],
  ];
  test.each(WARMS)('warm %j', async (body, field) => {
    const answer = await admin(at.edge, 'warm', body);
    expect([answer.status, errorOf(answer.text).field]).toEqual([400, field]);
  });

  test('a body that is too large is refused whole', async () => {
    await unchanged(async () => {
      const answer = await admin(at.edge, 'purge', { tags: ['kept'], id: 'x'.repeat(1_000_001) });
      expect([answer.status, errorOf(answer.text).code]).toEqual([413, 'too_large']);
    });
  });
});

describe('purge', () => {
  test('with an id is done once, and the same request is answered with its first number', async () => {
    const request = { tags: ['once'], id: 'publish-42' };
    const first = await purge(at.edge, request);
    at.origin.publish('/once', pageBody('/once'), { 'Cache-Tag': 'once' });
    await ask(at.edge, '/once');
    expect(await purge(at.edge, request)).toEqual(first);
    // What was stored since is not invalidated by the repetition.
    expect((await ask(at.edge, '/once')).headers['cache-status']).toContain('hit');
    const other = await purge(at.edge, { tags: ['other'] });
    expect(other.seq).toBe(first.seq + 1);
    expect((await purge(at.edge, request)).seq).toBe(first.seq);
  });

  test('of all kinds at once takes one number', async () => {
    const before = await ledgerSeq(at.edge);
    const { seq } = await purge(at.edge, { tags: ['a', 'b'], urls: ['/a'], prefixes: ['/b/'], everything: true });
    expect(seq).toBe(before + 1);
  });
});

describe('warm', () => {
  test('tells page by page how it went, and sums up', async () => {
    for (const name of ['a', 'b', 'c']) at.origin.publish(`/warm/${name}`, pageBody(name));
    const urls = ['/warm/a', 'http://localhost/warm/b', '/warm/c?utm_source=x', '/warm/none', 'https://other.example/'];
    const answer = await admin(at.edge, 'warm', { urls });
    expect(answer.headers['content-type']).toContain('application/x-ndjson');
    const lines = ndjson(answer.text);
    expect(lines).toHaveLength(urls.length + 1);
    const byUrl = new Map(lines.slice(0, -1).map((line) => [line.url, line]));
    expect(urls.map((url) => byUrl.get(url)?.status)).toEqual([200, 200, 200, 404, 0]);
    expect(lines.slice(0, -1).map((line) => line.done)).toEqual([1, 2, 3, 4, 5]);
    expect(
      lines.every((line, i) => i === urls.length || (line.of === urls.length && typeof line.ms === 'number')),
    ).toBe(true);
    expect(lines.at(-1)).toEqual({ done: true, warmed: 3, failed: 2 });
    for (const name of ['a', 'b', 'c'])
      expect((await ask(at.edge, `/warm/${name}`)).headers['cache-status']).toContain('hit');
  });

  test('right after an invalidation brings the new page, so that no reader waits for it', async () => {
    at.origin.publish('/warm/news', 'old');
    await ask(at.edge, '/warm/news');
    at.origin.publish('/warm/news', 'new');
    await purge(at.edge, { urls: ['/warm/news'] });
    await admin(at.edge, 'warm', { urls: ['/warm/news'] });
    const answer = await ask(at.edge, '/warm/news');
    expect([answer.text, answer.headers['cache-status']]).toEqual(['new', expect.stringContaining('hit')]);
  });

  test('goes on when its caller leaves', async () => {
    const urls = Array.from({ length: 12 }, (_, i) => `/warm/long/${i}`);
    for (const url of urls) {
      at.origin.publish(url, pageBody(url));
      at.origin.fault(url, { kind: 'delay', ms: 200 });
    }
    const headers = { Authorization: `Bearer ${EDGE_TOKEN}` };
    const body = JSON.stringify({ urls });
    await ask(at.edge, '/.porchlight/warm', { method: 'POST', headers, body, leaveAfterBytes: 1 });
    await expect.poll(() => urls.filter((url) => at.origin.count(url) === 1).length, { timeout: 20_000 }).toBe(12);
  });

  test('of a sitemap that is not there says so', async () => {
    const lines = ndjson((await admin(at.edge, 'warm', { sitemap: '/no-sitemap.xml' })).text);
    expect(lines).toEqual([{ done: true, warmed: 0, failed: 0, error: expect.stringContaining('/no-sitemap.xml') }]);
  });
});

test('health says what the edge knows of itself, and nothing a stranger could use', async () => {
  const answer = await ask(at.edge, '/.porchlight/health');
  expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
  expect(JSON.parse(answer.text)).toMatchObject({
    status: 'ok',
    ledger: { ok: true, seq: expect.any(Number) },
    archive: { ok: true },
    upstreams: { blog: { breaker: 'closed', transport: 'direct' } },
  });
  expect(answer.text).not.toContain(EDGE_TOKEN);
  expect(answer.text).not.toContain(String(at.origin.port));
});
