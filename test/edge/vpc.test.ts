import { Miniflare, type MiniflareOptions } from 'miniflare';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { bundleWorker, COMPATIBILITY_DATE } from '../../local/bundle.ts';
import { get } from '../support/http.ts';
import { Origin } from '../support/origin.ts';
import { freePorts } from '../support/ports.ts';
import { LONG } from './support.ts';

vi.setConfig(LONG);

/**
 * What a Workers VPC service is to the edge: a binding with `fetch` that goes to an address of its own, whatever host
 * the URL names, and throws when the connection fails. Here it says back in a field what it was asked.
 */
const service = (address: string): string => `
export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname.startsWith('/unplugged')) throw new Error('connection failed');
    const answer = await fetch('${address}' + url.pathname + url.search, request);
    const headers = new Headers(answer.headers);
    headers.set('x-asked', url.origin);
    return new Response(answer.body, { status: answer.status, headers });
  },
};`;

let origin: Origin;
let port: number;
let runtime: Miniflare;

beforeAll(async () => {
  origin = await Origin.start();
  port = await freePorts();
  const script = (contents: string) => ({
    mainModule: 'index.mjs',
    modulesRoot: '/',
    modules: { 'index.mjs': { type: 'esm', contents } },
  });
  // The tunnel's hostname leads nowhere: what arrives at home came over the binding. Example values.
  const vars = {
    BLOG_ORIGIN: 'http://127.0.0.1:9',
    DOMAIN: 'example.com',
    ANY_HOST: 'true',
    ACCESS_CLIENT_ID: 'example-id.access',
    ACCESS_CLIENT_SECRET: 'example-secret',
    PROBE_SECONDS: '0',
  };
  const env = {
    ...Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, { type: 'text', value }])),
    ARCHIVE: { type: 'r2', name: 'archive' },
    LEDGER: { type: 'durable-object', worker: 'edge', exportName: 'Ledger' },
    BLOG_VPC: { type: 'worker', worker: 'vpc' },
  };
  const base = { compatibilityDate: COMPATIBILITY_DATE };
  const exports = { Ledger: { type: 'durable-object', storage: 'sqlite' } };
  const { code } = await bundleWorker();
  const edge = {
    config: { ...base, name: 'edge', manifest: script(code), env, exports },
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port }] },
  };
  const vpc = { config: { ...base, name: 'vpc', manifest: script(service(origin.url)) } };
  runtime = new Miniflare({ workers: [edge, vpc] } as unknown as MiniflareOptions);
  await runtime.ready;
});
afterAll(async () => {
  await runtime?.dispose();
  await origin?.close();
});

const ask = (path: string, headers: Record<string, string> = {}) => get(port, path, { headers });

test('a page is fetched over the binding: the site’s own name, no token, nothing of the reader', async () => {
  origin.publish('/post', 'over the binding');
  const reader = { Cookie: 'theme=dark', 'X-Forwarded-Host': 'evil.example', 'CF-Connecting-IP': '192.0.2.1' };
  const answer = await ask('/post?utm_source=x&b=2&a=1', reader);
  expect([answer.status, answer.text, answer.headers['x-asked']]).toEqual([
    200,
    'over the binding',
    'http://blog.example.com',
  ]);
  const [seen] = origin.seen;
  expect(seen).toMatchObject({ method: 'GET', path: '/post?a=1&b=2' });
  expect(seen?.headers).toMatchObject({ 'x-forwarded-host': 'blog.example.com', 'x-forwarded-proto': 'https' });
  const names = Object.keys(seen?.headers ?? {});
  for (const name of [
    'cf-access-client-id',
    'cf-access-client-secret',
    'cookie',
    'cf-connecting-ip',
    'x-forwarded-for',
  ])
    expect(names).not.toContain(name);
  expect(JSON.stringify([seen?.rawHeaders, answer.rawHeaders])).not.toContain('example-secret');
  expect((await ask('/post?b=2&a=1')).headers['cache-status']).toContain('hit');
});

test('a personal request passes over it with its fields, its body and its redirect, and without a token', async () => {
  origin.forget();
  origin.handle('/comment', (_req, res) => void res.writeHead(303, { Location: '/post' }).end());
  const answer = await get(port, '/comment', { method: 'POST', headers: { Cookie: 'session=1' }, body: 'hello' });
  expect([answer.status, answer.headers.location]).toEqual([303, '/post']);
  const [seen] = origin.seen;
  expect([seen?.method, seen?.body.toString(), seen?.headers.cookie]).toEqual(['POST', 'hello', 'session=1']);
  expect(JSON.stringify(seen?.rawHeaders)).not.toContain('example-');
});

test('health names the transport', async () => {
  const health = JSON.parse((await ask('/.porchlight/health')).text) as { upstreams: Record<string, unknown> };
  expect(health.upstreams).toEqual({ blog: { breaker: 'closed', transport: 'vpc' } });
});

test('a binding that fails trips the breaker, and stored pages stand in', async () => {
  for (let i = 0; i < 8; i += 1) expect((await ask(`/unplugged/${i}`)).status).toBe(503);
  const open = await ask('/unplugged/now');
  expect([open.status, open.headers['cache-status']]).toEqual([503, expect.stringContaining('breaker-open')]);
  expect((await ask('/post?b=2&a=1')).text).toBe('over the binding');
});
