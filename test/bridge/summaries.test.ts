import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Summary } from '../../shared/contract/summary.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { asking, comment, thread } from '../support/threads.ts';

let edge: EdgeStandIn;
let bridge: TestBridge;
beforeAll(async () => {
  edge = await startEdgeStandIn();
  bridge = await startTestBridge({ EDGE_URL: edge.url, EDGE_TOKEN: edge.token });
}, 60_000);
afterAll(async () => {
  await bridge.stop();
  await edge.close();
});

const post = (body: string, headers: Record<string, string> = {}) =>
  bridge.call('/v1/summaries', { method: 'POST', body, headers });
const summaryOf = async (response: Response) => {
  expect(response.status).toBe(200);
  return (await response.json()) as Summary;
};
const anonymous = (path: string, init: RequestInit = {}) => fetch(bridge.url + path, init);
const purgesOf = (threadId: string) =>
  edge.purges.filter(({ tags }) => tags?.includes(`thread:${threadId}`)).map(({ mode }) => mode);

describe('without a model', () => {
  test('the summary is extractive, says so, and cites comments that exist', async () => {
    const summary = await summaryOf(await post(asking(thread('plain', 12))));
    expect(summary).toMatchObject({
      threadId: 'plain',
      engine: 'extractive',
      reason: 'no-model',
      cached: false,
      stale: false,
    });
    expect(summary.coverage.comments).toBe(12);
    expect(summary.coverage.covered + summary.coverage.omitted).toBe(12);
    for (const { commentIds } of summary.points) for (const id of commentIds) expect(id).toMatch(/^c([1-9]|1[0-2])$/);
    expect(await summaryOf(await post(asking(thread('plain', 12))))).toMatchObject({
      cached: true,
      reason: 'no-model',
    });
  });

  test('text that PostgreSQL cannot keep is no obstacle', async () => {
    const comments = [
      comment(1, { text: 'A null \0 and half a pair \ud800 stand in this remark, which is long enough.' }),
    ];
    const summary = await summaryOf(await post(asking({ id: 'odd', comments })));
    expect(summary.summary).not.toContain('\0');
    expect((await anonymous('/v1/threads/odd/summary')).status).toBe(200);
  });
});

describe('the thread’s summary', () => {
  test('is there for anyone, fit for the edge, and validated by its strong ETag', async () => {
    expect((await anonymous('/v1/threads/shown/summary')).status).toBe(404);
    await post(asking(thread('shown', 8)));
    const response = await anonymous('/v1/threads/shown/summary');
    expect(response.headers.get('cache-control')).toBe('public, no-cache');
    expect(response.headers.get('cdn-cache-control')).toMatch(/^public, max-age=60, stale-while-revalidate=/);
    expect(response.headers.get('cache-tag')).toBe('thread:shown');
    const etag = response.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    expect(await response.json()).toMatchObject({ threadId: 'shown', cached: true, tokens: { prompt: 0 } });
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const unchanged = await anonymous('/v1/threads/shown/summary', { headers: { 'if-none-match': given } });
      expect([unchanged.status, unchanged.headers.get('etag')]).toEqual([304, etag]);
    }
    const head = await anonymous('/v1/threads/shown/summary', { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
    await post(asking(thread('shown', 9)));
    expect((await anonymous('/v1/threads/shown/summary', { headers: { 'if-none-match': etag } })).status).toBe(200);
    await until('both are purged', () => purgesOf('shown').length > 0);
    expect(new Set(purgesOf('shown'))).toEqual(new Set(['invalidate']));
  });

  test('a private one asks for a credential, is kept by no cache, and stays private', async () => {
    await post(asking(thread('secret', 5), { visibility: 'private' }));
    await post(asking(thread('secret', 6)));
    const refused = await anonymous('/v1/threads/secret/summary');
    expect([refused.status, refused.headers.get('cache-control')]).toEqual([401, 'no-store']);
    const given = await bridge.call('/v1/threads/secret/summary');
    expect([given.status, given.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
    expect(given.headers.get('cache-tag')).toBeNull();
  });

  test('one that turns private is taken off the edge', async () => {
    await post(asking(thread('turned', 5)));
    await post(asking(thread('turned', 5), { visibility: 'private' }));
    expect((await anonymous('/v1/threads/turned/summary')).status).toBe(401);
    await until('it is deleted', () => purgesOf('turned').includes('delete'));
  });
});

describe('moderation', () => {
  test('a comment that is gone takes what was made from it along, before the answer', async () => {
    const word = 'Zanzibar';
    const marked = comment(3, {
      text: `The ${word} incident is what everybody talks about in this long and winding remark.`,
    });
    const before = { id: 'moderated', comments: [comment(1), comment(2), marked] };
    await post(asking(before));
    await post(asking({ id: 'moderated', comments: [comment(1), comment(2)] }));
    const after = await (await anonymous('/v1/threads/moderated/summary')).text();
    expect(after).not.toContain(word);
    await until('the edge deletes it', () => purgesOf('moderated').includes('delete'));
  });

  test('removing a comment by its id removes the summary, and a late request does not bring it back', async () => {
    await post(asking(thread('late', 4)));
    const response = await bridge.call('/v1/threads/late/comments/c2', { method: 'DELETE' });
    expect(response.status).toBe(202);
    const { purgeId, removed } = (await response.json()) as { purgeId: string; removed: boolean };
    expect(removed).toBe(true);
    expect((await anonymous('/v1/threads/late/summary')).status).toBe(404);
    const summary = await summaryOf(await post(asking(thread('late', 4))));
    expect(summary.coverage.comments).toBe(3);
    expect(JSON.stringify(summary)).not.toContain('number 2 of');
    await until('the purge is delivered', async () => {
      const status = (await (await bridge.call(`/v1/purges/${purgeId}`)).json()) as { state: string };
      return status.state === 'delivered';
    });
    expect(purgesOf('late')).toContain('delete');
  });

  test('a removed thread is gone, also where nothing was known of it', async () => {
    await post(asking(thread('gone', 4)));
    const response = await bridge.call('/v1/threads/gone/summary', { method: 'DELETE' });
    expect([response.status, ((await response.json()) as { removed: boolean }).removed]).toEqual([202, true]);
    expect((await anonymous('/v1/threads/gone/summary')).status).toBe(404);
    expect((await bridge.call('/v1/threads/never-seen/summary', { method: 'DELETE' })).status).toBe(202);
    expect((await anonymous('/v1/threads/gone/summary', { method: 'DELETE' })).status).toBe(401);
    expect((await bridge.call('/v1/threads/a%20b/summary', { method: 'DELETE' })).status).toBe(400);
  });
});

describe('a job', () => {
  const job = async (id: string) =>
    until(`job ${id}`, async () => {
      const read = (await (await bridge.call(`/v1/summaries/${id}`)).json()) as {
        state: string;
        summary: Summary | null;
      };
      return read.state === 'done' && read;
    });

  test('is accepted, done, and the same under its id', async () => {
    const body = asking(thread('jobbed', 6), {}, { id: 'job-of-mine-1' });
    const response = await post(body, { prefer: 'respond-async' });
    expect(response.status).toBe(202);
    expect(response.headers.get('preference-applied')).toBe('respond-async');
    expect(response.headers.get('location')).toBe('/v1/summaries/job-of-mine-1');
    expect(await response.json()).toMatchObject({ id: 'job-of-mine-1', replayed: false });
    expect((await job('job-of-mine-1')).summary).toMatchObject({ threadId: 'jobbed' });
    expect(await (await post(body, { prefer: 'respond-async' })).json()).toMatchObject({ replayed: true });
    const other = asking(thread('jobbed', 7), {}, { id: 'job-of-mine-1' });
    expect((await post(other, { prefer: 'respond-async' })).status).toBe(409);
    expect((await bridge.call('/v1/summaries/never-heard-of')).status).toBe(404);
  });

  test('waits for its end where the caller prefers', async () => {
    const response = await post(asking(thread('waited', 6)), { prefer: 'respond-async, wait=20' });
    expect(response.headers.get('preference-applied')).toBe('respond-async, wait=20');
    expect(await summaryOf(response)).toMatchObject({ threadId: 'waited' });
  });

  test('that is done loses its result with the comment it was made from', async () => {
    await post(asking(thread('withdrawn', 6), {}, { id: 'withdrawn-1' }), { prefer: 'respond-async' });
    await job('withdrawn-1');
    await bridge.call('/v1/threads/withdrawn/comments/c1', { method: 'DELETE' });
    expect(await (await bridge.call('/v1/summaries/withdrawn-1')).json()).toMatchObject({
      state: 'failed',
      summary: null,
      error: { code: 'withdrawn' },
    });
  });
});

describe('bad input', () => {
  test.each([
    ['no JSON', '{', 400, 'not-json', undefined],
    ['neither thread nor id', {}, 400, 'invalid', 'thread'],
    ['an id and no source', { threadId: 'blog:1' }, 400, 'no-comment-source', 'threadId'],
    ['no comments', { thread: { id: 'x', comments: [] } }, 400, 'invalid', 'thread.comments'],
    [
      'an id twice',
      { thread: { id: 'x', comments: [comment(1), comment(1)] } },
      400,
      'invalid',
      'thread.comments.1.id',
    ],
    [
      'a deadline that nobody keeps',
      { threadId: 'x', options: { deadlineMs: 10 } },
      400,
      'invalid',
      'options.deadlineMs',
    ],
    ['an oversized body', ' '.repeat(8 * 1024 * 1024 + 1), 413, 'body-too-large', undefined],
  ])('%s is refused in one sentence', async (_name, body, status, code, field) => {
    const response = await post(typeof body === 'string' ? body : JSON.stringify(body));
    const { error } = (await response.json()) as { error: { code: string; field?: string } };
    expect([response.status, error.code, error.field]).toEqual([status, code, field]);
  });

  test('without a credential nothing is summarised', async () => {
    expect((await anonymous('/v1/summaries', { method: 'POST', body: asking(thread('x', 1)) })).status).toBe(401);
    expect((await anonymous('/v1/summaries/some-job-id')).status).toBe(401);
  });
});
