import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cloudflareTarget } from '../../bridge/purge/targets/cloudflare.ts';
import type { PurgeStatus } from '../../shared/contract/purge.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';
import { type EdgeStandIn, startEdgeStandIn } from '../support/edge-stand-in.ts';

const ZONE = '0123456789abcdef0123456789abcdef';
let edge: EdgeStandIn;
let bridge: TestBridge;
let api: Server;
let received: { path: string; body: Record<string, unknown>; authorization: string }[];
let answers: { status: number; body: unknown; headers?: Record<string, string> }[];

beforeEach(async () => {
  received = [];
  answers = [];
  api = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push({
      path: request.url ?? '',
      body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>,
      authorization: request.headers.authorization ?? '',
    });
    const answer = answers.shift() ?? {
      status: 200,
      body: { success: true, errors: [], messages: [], result: { id: ZONE } },
    };
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  edge = await startEdgeStandIn();
  bridge = await startTestBridge({
    EDGE_URL: edge.url,
    EDGE_TOKEN: edge.token,
    PUBLIC_URL: 'https://blog.example,https://www.blog.example',
    CLOUDFLARE_ZONE_ID: ZONE,
    CLOUDFLARE_API_TOKEN: 'zone-example-token',
    CLOUDFLARE_API_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}/client/v4`,
    CLOUDFLARE_PURGES_PER_MINUTE: '600',
  });
}, 60_000);
afterEach(async () => {
  await bridge.stop();
  await edge.close();
  await new Promise((resolve) => api.close(resolve));
});

const purge = async (body: unknown) =>
  ((await (await bridge.call('/v1/purge', { method: 'POST', body: JSON.stringify(body) })).json()) as { id: string })
    .id;
const settled = (id: string) =>
  until('settled', async () => {
    const status = (await (await bridge.call(`/v1/purges/${id}`)).json()) as PurgeStatus;
    return status.state !== 'pending' && status;
  });
const zone = (status: PurgeStatus) => status.targets.find(({ target }) => target === 'cloudflare');

test('the zone is purged after the ledger knows, one kind a request', async () => {
  let held = true;
  edge.fault = () => (held ? { status: 503 } : null);
  const tags = Array.from({ length: 120 }, (_, index) => `t${index}`);
  const id = await purge({ tags, prefixes: ['/posts/'], urls: ['https://blog.example/'] });
  await until('the edge was tried', () => edge.calls > 0);
  expect(received).toEqual([]);
  held = false;
  const status = await settled(id);
  expect(zone(status)).toMatchObject({ state: 'delivered', outcome: { requests: 4 } });
  expect(received.map(({ path }) => path)).toEqual(Array(4).fill(`/client/v4/zones/${ZONE}/purge_cache`));
  expect(received.map(({ body }) => Object.keys(body)[0])).toEqual(['tags', 'tags', 'prefixes', 'files']);
  expect(received[2]?.body).toEqual({ prefixes: ['blog.example/posts/', 'www.blog.example/posts/'] });
  expect(received[0]?.authorization).toBe('Bearer zone-example-token');
});

test('429 is honoured, and a retry goes on with the request that failed', async () => {
  const limited = {
    status: 429,
    body: { success: false, errors: [{ code: 971, message: 'rate limited' }] },
    headers: { 'retry-after': '1' },
  };
  answers = [{ status: 200, body: { success: true } }, limited];
  const from = performance.now();
  const id = await purge({ tags: ['a'], urls: ['https://blog.example/'] });
  const status = await settled(id);
  expect(performance.now() - from).toBeGreaterThan(950);
  expect(zone(status)).toMatchObject({ state: 'delivered', attempts: 2 });
  expect(received.map(({ body }) => Object.keys(body)[0])).toEqual(['tags', 'files', 'files']);
});

test('what the zone refuses is set aside, what fails is tried again, and neither holds up the edge', async () => {
  answers = [
    { status: 500, body: {} },
    { status: 400, body: { success: false, errors: [{ code: 1012, message: 'bad tag' }] } },
  ];
  const status = await settled(await purge({ everything: true, mode: 'delete' }));
  expect(status.state).toBe('rejected');
  expect(zone(status)).toMatchObject({ state: 'rejected', error: '400: 1012 bad tag' });
  expect(status.targets.find(({ target }) => target === 'edge')?.state).toBe('delivered');
  expect((await settled(await purge({ tags: ['b'] }))).state).toBe('delivered');
  expect(bridge.logs.join('')).not.toContain('zone-example-token');
});

test('a badly formed token refuses no purge, however long it takes to be put right; what nobody knows does not block for good', async () => {
  const chain = [{ code: 6111, message: 'Invalid format for Authorization header' }];
  const refusal = (code: number, message: string, extra: object = {}) => ({
    status: 400,
    body: { success: false, errors: [{ code, message, ...extra }] },
  });
  const mistyped = refusal(6003, 'Invalid request headers', { error_chain: chain });
  const zoneConfig = { apiUrl: 'http://zone.invalid', zoneId: ZONE, token: 'mistyped', hosts: [] };
  const answering = (answer: { status: number; body: unknown }) =>
    cloudflareTarget(
      { ...zoneConfig, rate: { capacity: 1000, perMinute: 1000 } },
      async () => new Response(JSON.stringify(answer.body), { status: answer.status }),
      () => 0,
    );
  const call = { mode: 'invalidate', everything: false, tags: ['t'], prefixes: [], urls: [] } as const;
  const attempts = async (target: ReturnType<typeof answering>, times: number) => {
    const kinds: string[] = [];
    for (let turn = 0; turn < times; turn++) {
      const outcome = await target.deliver('batch-1', call, AbortSignal.timeout(5000));
      kinds.push(outcome.kind);
      if (outcome.kind === 'retry') expect(outcome.reason).toMatch(/^400: /);
    }
    return kinds;
  };
  expect(new Set(await attempts(answering(mistyped), 100))).toEqual(new Set(['retry']));
  const puzzled = await attempts(answering(refusal(1999, 'something new')), 15);
  expect(puzzled).toEqual([...Array(14).fill('retry'), 'refused']);

  answers = [mistyped, mistyped];
  const status = await settled(await purge({ tags: ['late'] }));
  expect(zone(status)).toMatchObject({ state: 'delivered', attempts: 3 });
  expect(bridge.logs.join('')).toContain(
    '400: 6003 Invalid request headers (6111 Invalid format for Authorization header)',
  );
});
