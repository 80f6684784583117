import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

let postgres: TestPostgres;
let proxy: TcpProxy;
let edge: EdgeStandIn;
let bridge: TestBridge;

beforeAll(async () => {
  postgres = await startPostgres();
  proxy = await startTcpProxy(Number(new URL(postgres.pooledUrl).port));
  edge = await startEdgeStandIn();
  const url = new URL(postgres.pooledUrl);
  url.port = String(proxy.port);
  proxy.state = 'closed';
  setTimeout(() => {
    proxy.state = 'open';
  }, 1000);
  // The server comes up after the bridge, as after a power cut.
  bridge = await startTestBridge({ DATABASE_URL: url.toString(), EDGE_URL: edge.url, EDGE_TOKEN: edge.token });
}, 120_000);
afterAll(async () => {
  await bridge.stop();
  await proxy.close();
  await edge.close();
  await postgres.stop();
});

const purge = async (tag: string) =>
  (await bridge.call('/v1/purge', { method: 'POST', body: JSON.stringify({ id: `outage-${tag}`, tags: [tag] }) }))
    .status;
const ready = async () => (await bridge.call('/ready')).status === 200;

test('a store that is gone or hangs: nothing is accepted, health stays quick, and all goes on when it is back', async () => {
  expect(await purge('before')).toBe(202);
  await until('ready', ready);

  proxy.state = 'closed';
  proxy.drop();
  expect(await purge('while-gone')).toBe(503);

  proxy.state = 'frozen';
  const from = performance.now();
  expect(await purge('while-frozen')).toBe(503);
  expect(performance.now() - from).toBeLessThan(20_000);
  const asked = performance.now();
  for (let turn = 0; turn < 20; turn++) expect((await bridge.call('/health')).status).toBe(200);
  expect(performance.now() - asked).toBeLessThan(5000);
  await until('not ready', async () => !(await ready()));

  proxy.state = 'open';
  proxy.drop();
  await until('accepted again', async () => (await purge('after')) === 202);
  await until('ready again', ready);
  await until('delivered', () => edge.purges.some(({ tags }) => tags?.includes('after')));
}, 120_000);

test('two bridges on one store, as while one version follows the other: each purge once, in the order of acceptance', async () => {
  const second = await startTestBridge({
    DATABASE_URL: postgres.pooledUrl,
    EDGE_URL: edge.url,
    EDGE_TOKEN: edge.token,
  });
  const send = (to: TestBridge, tag: string) =>
    to.call('/v1/purge', { method: 'POST', body: JSON.stringify({ id: `both-${tag}`, tags: [tag] }) });
  const tags = Array.from({ length: 60 }, (_, index) => `both:${index}`);
  for (const [index, tag] of tags.entries())
    expect((await send(index % 2 === 0 ? bridge : second, tag)).status).toBe(202);
  // The same purge at both at once is one purge.
  const twins = await Promise.all([send(bridge, 'twin'), send(second, 'twin')]);
  expect(twins.map(({ status }) => status)).toEqual([202, 202]);
  await until('all delivered', () => edge.purges.some((purge) => purge.tags?.includes('twin')));
  const delivered = edge.purges
    .flatMap((purge) => purge.tags ?? [])
    .filter((tag) => tag.startsWith('both:') || tag === 'twin');
  expect(delivered).toEqual([...tags, 'twin']);

  // Whoever has the lease hears nothing of what the other one takes in; it must not find it by a slow look only.
  const from = performance.now();
  for (let turn = 0; turn < 6; turn++) {
    for (const [index, to] of [bridge, second].entries()) {
      await send(to, `told:${turn}:${index}`);
      await until('delivered', () => edge.purges.some(({ tags }) => tags?.includes(`told:${turn}:${index}`)));
    }
  }
  expect(performance.now() - from).toBeLessThan(20_000);
  await second.stop();
}, 90_000);
