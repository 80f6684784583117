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
  expect(performance.now() - asked).toBeLessThan(2000);
  await until('not ready', async () => !(await ready()));

  proxy.state = 'open';
  proxy.drop();
  await until('accepted again', async () => (await purge('after')) === 202);
  await until('ready again', ready);
  await until('delivered', () => edge.purges.some(({ tags }) => tags?.includes('after')));
}, 120_000);
