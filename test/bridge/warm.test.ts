import { afterAll, beforeAll, expect, test } from 'vitest';
import { warmTarget } from '../../bridge/purge/targets/warm.ts';
import type { PurgeStatus } from '../../shared/contract/purge.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';

let edge: EdgeStandIn;
let bridge: TestBridge;

beforeAll(async () => {
  edge = await startEdgeStandIn();
  bridge = await startTestBridge({ EDGE_URL: edge.url, EDGE_TOKEN: edge.token, PUBLIC_URL: 'https://blog.example' });
}, 60_000);
afterAll(async () => {
  await bridge.stop();
  await edge.close();
});

const sitemap = 'https://blog.example/sitemap.xml';
const failed = `The sitemap ${sitemap} answered 502.`;

test('warming that failed as a whole is tried again, as while the blog rolls out', async () => {
  let times = 0;
  edge.warmError = () => (times++ < 2 ? failed : null);
  const body = JSON.stringify({ tags: ['a'], warm: { sitemap } });
  const { id } = (await (await bridge.call('/v1/purge', { method: 'POST', body })).json()) as { id: string };
  const status = await until('settled', async () => {
    const now = (await (await bridge.call(`/v1/purges/${id}`)).json()) as PurgeStatus;
    return now.state !== 'pending' && now;
  });
  expect(status.targets.find(({ target }) => target === 'warm')).toMatchObject({
    state: 'delivered',
    attempts: 3,
    outcome: { warmed: 1, failed: 0 },
  });
});

test('a call that breaks off again and again is given up, what is done of it is not repeated, an edge that is away is waited for', async () => {
  const asked: string[] = [];
  let answer = (body: string): Response => new Response(body);
  const fetch = async (_url: unknown, init?: RequestInit) => {
    const body = String(init?.body);
    asked.push(body);
    return answer(body);
  };
  const target = warmTarget({ url: 'http://edge.invalid', token: 't' }, fetch as typeof globalThis.fetch, () => 0);
  const call = { urls: ['https://blog.example/1'], sitemaps: [sitemap, 'https://blog.example/second.xml'] };
  const attempt = (id: string) => target.deliver(id, call, AbortSignal.timeout(5000));

  answer = () => new Response('busy', { status: 503 });
  for (let turn = 0; turn < 30; turn++) expect((await attempt('one')).kind).toBe('retry');
  asked.length = 0;
  const done = '{"done":true,"warmed":5,"failed":1}\n';
  answer = (body) =>
    new Response(body.includes('second') ? `{"done":true,"warmed":0,"failed":0,"error":"${failed}"}\n` : done);
  const kinds: string[] = [];
  for (let turn = 0; turn < 10; turn++) kinds.push((await attempt('one')).kind);
  expect(kinds).toEqual([...Array(9).fill('retry'), 'given-up']);
  expect(asked.filter((body) => !body.includes('second'))).toHaveLength(1);
  expect(await attempt('two')).toEqual({ kind: 'retry', reason: `warming failed: ${failed}` });
  answer = () => new Response('{"url":"https://blog.example/1","status":200}\n');
  expect(await attempt('two')).toEqual({ kind: 'retry', reason: 'warming broke off' });
  answer = () => new Response(done);
  expect(await attempt('two')).toEqual({ kind: 'delivered', detail: { warmed: 10, failed: 2 } });
});
