import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PurgeStatus } from '../../shared/contract/purge.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';

let edge: EdgeStandIn;
let bridge: TestBridge;

beforeAll(async () => {
  edge = await startEdgeStandIn();
  bridge = await startTestBridge({
    EDGE_URL: edge.url,
    EDGE_TOKEN: `${edge.token},older`,
    PUBLIC_URL: 'https://blog.example',
  });
}, 60_000);
afterAll(async () => {
  await bridge.stop();
  await edge.close();
});
beforeEach(() => {
  edge.fault = null;
});

const post = (body: unknown) => bridge.call('/v1/purge', { method: 'POST', body: JSON.stringify(body) });
const statusOf = async (id: string) => (await (await bridge.call(`/v1/purges/${id}`)).json()) as PurgeStatus;
const settled = (id: string) =>
  until(`purge ${id}`, async () => {
    const status = await statusOf(id);
    return status.state !== 'pending' && status;
  });
const target = (status: PurgeStatus, name: string) => status.targets.find((item) => item.target === name);

describe('a purge', () => {
  test('is accepted, delivered and shown', async () => {
    const response = await post({ tags: ['post:1', 'type:html'], warm: { urls: ['https://blog.example/posts/1'] } });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    const status = await settled(id);
    expect(status).toMatchObject({
      state: 'delivered',
      caller: 'token:ci',
      request: { tags: ['post:1', 'type:html'] },
    });
    expect(target(status, 'edge')).toMatchObject({
      state: 'delivered',
      attempts: 1,
      outcome: { seq: expect.any(Number) },
    });
    expect(target(status, 'warm')).toMatchObject({ state: 'delivered', outcome: { warmed: 1, failed: 0 } });
    expect(edge.purges.at(-1)).toMatchObject({ mode: 'invalidate', tags: ['post:1', 'type:html'] });
    expect(edge.warmed.at(-1)).toEqual({ urls: ['https://blog.example/posts/1'] });
  });

  test('sent twice under one id is one purge; another under that id is a conflict', async () => {
    const before = edge.purges.length;
    const first = await (await post({ id: 'same-id-0001', tags: ['same'] })).json();
    const second = await (await post({ tags: ['same'], id: 'same-id-0001' })).json();
    expect(first).toMatchObject({ replayed: false });
    expect(second).toMatchObject({ id: 'same-id-0001', replayed: true });
    expect((await post({ id: 'same-id-0001', tags: ['other'] })).status).toBe(409);
    await settled('same-id-0001');
    expect(edge.purges.slice(before).flatMap((purge) => purge.tags ?? [])).toEqual(['same']);
  });

  test('survives a lost answer without a second effect', async () => {
    let lost = 0;
    edge.fault = () => (lost++ < 2 ? 'lost-answer' : null);
    const { id } = (await (await post({ tags: ['lost-answer'] })).json()) as { id: string };
    const status = await settled(id);
    expect(target(status, 'edge')).toMatchObject({ state: 'delivered', attempts: 3 });
    expect(edge.purges.filter((purge) => purge.tags?.includes('lost-answer'))).toHaveLength(1);
    expect(edge.repeats.length).toBeGreaterThan(0);
  });

  test('waits as long as the edge asks for', async () => {
    let asked = 0;
    edge.fault = () => (asked++ === 0 ? { status: 429, retryAfter: '2' } : null);
    const from = performance.now();
    const { id } = (await (await post({ tags: ['limited'] })).json()) as { id: string };
    await settled(id);
    expect(performance.now() - from).toBeGreaterThan(1900);
  });

  test('that the edge refuses is set aside, and its neighbours arrive', async () => {
    edge.fault = (purge) => (purge.tags?.includes('poison') ? { status: 400 } : null);
    const ids = await Promise.all(
      ['before', 'poison', 'after'].map(
        async (tag) => ((await (await post({ tags: [tag] })).json()) as { id: string }).id,
      ),
    );
    const [before, poison, after] = await Promise.all(ids.map(settled));
    expect([before?.state, poison?.state, after?.state]).toEqual(['delivered', 'rejected', 'delivered']);
    expect(poison && target(poison, 'edge')?.error).toContain('400');
  });
});

test('a burst of 1,000 becomes few calls, in order', async () => {
  const calls = edge.calls;
  const before = edge.purges.length;
  const ids: string[] = [];
  for (let start = 0; start < 1000; start += 50) {
    const answers = Array.from({ length: 50 }, (_, index) => post({ tags: [`burst:${start + index}`] }));
    for (const answer of await Promise.all(answers)) ids.push(((await answer.json()) as { id: string }).id);
  }
  await settled(ids.at(-1) ?? '');
  const tags = edge.purges.slice(before).flatMap((purge) => purge.tags ?? []);
  expect(new Set(tags).size).toBe(1000);
  expect(tags).toHaveLength(1000);
  expect(edge.calls - calls).toBeLessThan(40);
}, 60_000);

describe('bad input', () => {
  test.each([
    ['no JSON', '{', 400, 'not-json', undefined],
    ['nothing to purge', {}, 400, 'invalid', undefined],
    ['a tag with a comma', { tags: ['ok', 'a,b'] }, 400, 'invalid', 'tags.1'],
    ['a relative prefix', { prefixes: ['posts/'] }, 400, 'invalid', 'prefixes.0'],
    ['a URL with user info', { urls: ['https://me@blog.example/'] }, 400, 'invalid', 'urls.0'],
    ['a URL with a control character', { urls: ['https://blog.example/\u0000'] }, 400, 'invalid', 'urls.0'],
    ['a URL with half a surrogate pair', { urls: ['https://blog.example/\ud800'] }, 400, 'invalid', 'urls.0'],
    ['a tag with a control character', { tags: ['a\u0000'] }, 400, 'invalid', 'tags.0'],
    ['a prefix with half a surrogate pair', { prefixes: ['/\udc00'] }, 400, 'invalid', 'prefixes.0'],
    [
      'a sitemap with a control character',
      { tags: ['a'], warm: { sitemap: 'https://blog.example/\u0085.xml' } },
      ...([400, 'invalid', 'warm.sitemap'] as const),
    ],
    ['too many items', { tags: Array.from({ length: 1001 }, (_, index) => `t${index}`) }, 400, 'invalid', undefined],
    ['everything and more', { everything: true, tags: ['a'] }, 400, 'invalid', 'everything'],
    ['an unknown field', { tags: ['a'], soft: true }, 400, 'invalid', undefined],
    [
      'a warm URL elsewhere',
      { tags: ['a'], warm: { urls: ['http://169.254.169.254/latest'] } },
      400,
      'foreign-host',
      'warm',
    ],
    [
      'a sitemap elsewhere',
      { tags: ['a'], warm: { sitemap: 'https://blog.example.evil/sitemap.xml' } },
      400,
      'foreign-host',
      'warm',
    ],
    ['an oversized body', `{"tags":["${'a'.repeat(300_000)}"]}`, 413, 'body-too-large', undefined],
  ])('%s is refused in one sentence', async (_name, body, status, code, field) => {
    const response = await bridge.call('/v1/purge', {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const answer = (await response.json()) as { error: { code: string; message: string; field?: string } };
    expect([response.status, answer.error.code, answer.error.field]).toEqual([status, code, field]);
    expect(answer.error.message.length).toBeGreaterThan(10);
  });

  test('an oversized body without a declared length is cut off too', async () => {
    const body = new ReadableStream({
      start: (controller) => {
        for (let part = 0; part < 10; part++) controller.enqueue(new Uint8Array(64 * 1024).fill(97));
        controller.close();
      },
    });
    const response = await bridge.call('/v1/purge', { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect(response.status).toBe(413);
  });

  test('an unknown id is 404, an unknown route too', async () => {
    expect((await bridge.call('/v1/purges/nothing-of-that-name')).status).toBe(404);
    expect((await bridge.call('/v1/nothing')).status).toBe(404);
  });
});

test('no secret is logged', () => {
  const all = bridge.logs.join('');
  expect(all).toContain('delivered');
  expect(all).not.toContain(edge.token);
  expect(all).not.toContain('ci-example-token');
});
