import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PurgeStatus } from '../../shared/contract/purge.ts';
import { BRIDGE_TOKEN, newDataDirectory, until } from '../support/bridge.ts';
import { startBridgeProcess } from '../support/bridge-process.ts';
import { EDGE_TOKEN, type Edge, startEdge } from '../support/edge.ts';
import { type AskOptions, get } from '../support/http.ts';
import { freePorts } from '../support/ports.ts';
import { type Child, freePort } from '../support/process.ts';
import { asking, comment, thread } from '../support/threads.ts';

let edge: Edge;
let bridge: Child;
let bridgePort = 0;
let data = '';
const env = { PORCHLIGHT_VARS: JSON.stringify({ ANY_HOST: 'false' }) };

beforeAll(async () => {
  bridgePort = await freePort();
  const port = await freePorts(2);
  const origin = `http://127.0.0.1:${bridgePort}`;
  edge = await startEdge({ origin, bridge: origin, port, colos: 2, env });
  data = await newDataDirectory();
  bridge = await startBridgeProcess(bridgePort, data, { EDGE_URL: edge.url(), EDGE_TOKEN });
}, 120_000);
afterAll(async () => {
  await bridge.kill('SIGKILL');
  await edge.stop();
  rmSync(data, { recursive: true, force: true });
});

const authorization = `Bearer ${BRIDGE_TOKEN}`;
const through = (path: string, options: AskOptions = {}, colo = 0) =>
  get(edge.ports[colo] ?? 0, path, { ...options, headers: { host: 'api.localhost', ...(options.headers as object) } });
const post = (body: string) =>
  through('/v1/summaries', { method: 'POST', body, headers: { authorization, 'content-type': 'application/json' } });
const delivered = (id: string) =>
  until('the purge is delivered', async () => {
    const { text } = await get(bridgePort, `/v1/purges/${id}`, { headers: { authorization } });
    return (JSON.parse(text) as PurgeStatus).state === 'delivered';
  });

test('a summary is one page for all readers, validated by its ETag', async () => {
  expect((await post(asking(thread('edge-1', 6)))).status).toBe(200);
  const first = await through('/v1/threads/edge-1/summary');
  expect([first.status, first.headers['cache-control']]).toEqual([200, 'public, no-cache']);
  await until('the edge holds it', async () =>
    /^porchlight; hit/.test((await through('/v1/threads/edge-1/summary')).headers['cache-status'] ?? ''),
  );
  const etag = first.headers.etag ?? '';
  expect((await through('/v1/threads/edge-1/summary', { headers: { 'if-none-match': etag } })).status).toBe(304);
});

test('events come through, and nothing of them is kept', async () => {
  const headers = { authorization, 'content-type': 'application/json', accept: 'text/event-stream' };
  const answer = await through('/v1/summaries', { method: 'POST', body: asking(thread('edge-3', 6)), headers });
  expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/event-stream; charset=utf-8']);
  expect(answer.text).toMatch(/^: accepted\n\n[\s\S]*event: summary\ndata: \{"threadId":"edge-3"/);
});

test('words that were taken down are gone from every data centre once the purge is acknowledged, also with home dead', async () => {
  const word = 'Zanzibar';
  const marked = comment(3, {
    text: `The ${word} incident is what everybody talks about in this long and winding remark.`,
  });
  await post(asking({ id: 'edge-2', comments: [comment(1), comment(2), marked] }));
  const path = '/v1/threads/edge-2/summary';
  for (const colo of [0, 1]) {
    await until('the edge holds it', async () => {
      const answer = await through(path, {}, colo);
      return answer.text.includes(word) && /; hit/.test(answer.headers['cache-status'] ?? '');
    });
  }
  const removed = await through('/v1/threads/edge-2/comments/c3', { method: 'DELETE', headers: { authorization } });
  expect(removed.status).toBe(202);
  await delivered((JSON.parse(removed.text) as { purgeId: string }).purgeId);
  const answer = await through(path);
  expect([answer.status, answer.text.includes(word)]).toEqual([404, false]);
  await until('the other data centre too', async () => !(await through(path, {}, 1)).text.includes(word), 10_000);

  await bridge.kill('SIGKILL');
  for (const colo of [0, 1]) expect((await through(path, {}, colo)).text).not.toContain(word);
  // What was not taken down outlives its home.
  expect((await through('/v1/threads/edge-1/summary')).status).toBe(200);
});
