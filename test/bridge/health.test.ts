import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { StatusReport } from '../../shared/contract/status.ts';
import { startTestBridge, type TestBridge, until } from '../support/bridge.ts';

let bridge: TestBridge | null = null;
let server: Server | null = null;
afterEach(async () => {
  await bridge?.stop();
  server?.closeAllConnections();
  server?.close();
  bridge = null;
  server = null;
});

const serve = async (answer: (path: string) => unknown) => {
  const listening = createServer((request, response) => {
    const body = answer(request.url ?? '');
    if (body !== undefined) response.end(JSON.stringify(body));
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
};
const status = async () => StatusReport.parse(await (await bridge?.call('/v1/status'))?.json());
const dependency = async (name: string) => (await status()).dependencies.find((item) => item.name === name);

test('on a laptop with nothing else, it is alive, ready, and says what is absent and how to bring it in', async () => {
  bridge = await startTestBridge({});
  expect(await (await bridge.call('/health')).json()).toMatchObject({ status: 'ok' });
  await until('ready', async () => (await bridge?.call('/ready'))?.status === 200);
  const report = await status();
  expect(Object.fromEntries(report.dependencies.map(({ name, state }) => [name, state]))).toEqual({
    store: 'up',
    edge: 'absent',
    kubernetes: 'absent',
    flux: 'absent',
    cloudflare: 'absent',
    ollama: 'absent',
  });
  for (const { state, detail } of report.dependencies)
    if (state === 'absent') expect(detail).toMatch(/[A-Z]+_[A-Z]+|KUBECONFIG/);
  expect(report.state).toBe('good');

  const page = await bridge.call('/v1/status', { headers: { accept: 'text/html,*/*' } });
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('All is well');
  expect(await (await bridge.call('/version')).json()).toMatchObject({
    name: 'porchlight-bridge',
    node: process.version,
  });
}, 60_000);

test('a dependency that hangs makes nothing slow', async () => {
  const url = await serve(() => undefined);
  bridge = await startTestBridge({ EDGE_URL: url, EDGE_TOKEN: 'edge-example-token', OLLAMA_HOST: url });
  const from = performance.now();
  for (let turn = 0; turn < 20; turn++) {
    expect((await bridge.call('/health')).status).toBe(200);
    await bridge.call('/v1/status');
  }
  // One wait for the dependency would be 3 s.
  expect(performance.now() - from).toBeLessThan(10_000);
  await until('the edge is known to be down', async () => (await dependency('edge'))?.state === 'down');
  expect((await dependency('edge'))?.detail).toContain('no answer within 3 s');
  expect((await status()).state).toBe('degraded');
  expect((await bridge.call('/ready')).status).toBe(200);
}, 60_000);

describe('Ollama', () => {
  test.each([
    ['on the GPU', [{ name: 'llama3', size: 100, size_vram: 100 }], 'gpu'],
    ['on the CPU', [{ name: 'llama3', size: 100, size_vram: 0 }], 'cpu'],
    ['in between', [{ name: 'llama3', size: 100, size_vram: 60 }], 'gpu for 60 %'],
    ['idle', [], 'no model loaded'],
  ])(
    '%s',
    async (_name, models, expected) => {
      const there = [{ name: 'llama3:latest', digest: 'sha256:1' }];
      const bodies: Record<string, unknown> = { '/api/version': { version: '0.33.0' }, '/api/tags': { models: there } };
      const url = await serve((path) => bodies[path ?? ''] ?? { models });
      bridge = await startTestBridge({ OLLAMA_HOST: url, OLLAMA_MODEL: 'llama3' });
      await until('asked', async () => (await dependency('ollama'))?.state === 'up');
      expect((await dependency('ollama'))?.detail).toBe(`version 0.33.0, ${expected}`);
    },
    60_000,
  );

  test('without the model it cannot do its work, and says how it could', async () => {
    const url = await serve((path) => (path === '/api/version' ? { version: '0.33.0' } : { models: [] }));
    bridge = await startTestBridge({ OLLAMA_HOST: url, OLLAMA_MODEL: 'llama3' });
    await until('asked', async () => (await dependency('ollama'))?.state === 'down');
    expect((await dependency('ollama'))?.detail).toBe('version 0.33.0, but no llama3: run "ollama pull llama3"');
  }, 60_000);
});

test('metrics count by route template, and unknown paths share one label', async () => {
  bridge = await startTestBridge({});
  await bridge.call('/health');
  await bridge.call('/v1/purges/some-id-of-a-purge');
  for (let turn = 0; turn < 20; turn++) await bridge.call(`/scan/${turn}`);
  await bridge.call('/health', { method: 'PROPFIND' });
  const text = await (await bridge.call('/metrics')).text();
  expect(text).toMatch(/http_requests_total\{method="GET",route="\/v1\/purges\/\{id\}",status="404".*\} 1/);
  expect(text).toMatch(/http_requests_total\{method="other",route="unknown",status="404".*\} 21/);
  expect(text).not.toContain('/scan/');
  for (const name of [
    'http_request_duration_seconds_bucket',
    'porchlight_outbox_pending',
    'porchlight_outbox_oldest_seconds',
    'porchlight_dependency_up',
  ]) {
    expect(text).toContain(name);
  }
}, 60_000);

test('a request id given by the edge is kept, any other is replaced', async () => {
  bridge = await startTestBridge({});
  expect(
    (await bridge.call('/health', { headers: { 'x-request-id': 'edge-1234-5678' } })).headers.get('x-request-id'),
  ).toBe('edge-1234-5678');
  const made = (await bridge.call('/health', { headers: { 'x-request-id': 'a\tb{}' } })).headers.get('x-request-id');
  expect(made).toMatch(/^[0-9a-f-]{36}$/);
  const headers = { 'x-request-id': 'edge-1234-5678' };
  for (const [path, method, status] of [
    ['/nowhere', 'GET', 404],
    ['/v1/summaries', 'POST', 400],
    ['/metrics', 'GET', 200],
  ] as const) {
    const answer = await bridge.call(path, { method, headers });
    expect([path, answer.status, answer.headers.get('x-request-id')]).toEqual([path, status, 'edge-1234-5678']);
    // Longer than the 90 s for which the proxies in front keep an idle connection.
    expect(answer.headers.get('keep-alive')).toBe('timeout=95');
  }
}, 60_000);
