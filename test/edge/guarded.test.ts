import { createServer, request, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEdge } from '../support/edge.ts';
import { poll } from '../support/program.ts';
import { ask, home, pageBody, portOf } from './support.ts';
import { echoUpgrade, exchange } from './websocket.ts';

/** Example values. What is not the cache's business goes through a tunnel guarded by Cloudflare Access, too. */
const PORCHLIGHT_VARS = JSON.stringify({
  ACCESS_CLIENT_ID: 'example-id.access',
  ACCESS_CLIENT_SECRET: 'example-secret',
});
const at = home({ colos: 2, env: { PORCHLIGHT_VARS } });

const html = { 'Content-Type': 'text/html; charset=utf-8' };
const LOGIN = `<!doctype html><title>Sign in ・ Cloudflare Access</title><form action="/cdn-cgi/access/login">code</form>`;
const COOKIE = { Cookie: 'session=mine' };

async function healed(): Promise<void> {
  at.origin.publish('/probe', 'alive', { 'Cache-Control': 'no-store', 'Content-Type': 'text/plain' });
  expect(await poll(async () => (await ask(at.edge, '/probe')).text === 'alive', 40_000, 100)).toBe(true);
}

const FORMS: [name: string, status: number, headers: Record<string, string>, body: string][] = [
  ['302 to the team', 302, { Location: 'https://team.cloudflareaccess.com/cdn-cgi/access/login/blog?kid=1' }, ''],
  ['200 with its header', 200, { ...html, 'CF-Access-Domain': 'blog.example.com' }, LOGIN],
  ['200 that looks like a page', 200, html, LOGIN],
  ['403 that looks like a page', 403, { 'Content-Type': 'Text/HTML' }, LOGIN],
];

describe.each(FORMS)('the login page in place of a personal answer: %s', (name, status, headers, body) => {
  test.each(['GET', 'POST'])('%s is answered 502', async (method) => {
    await healed();
    const path = `/mine/${encodeURIComponent(name)}/${method}`;
    at.origin.publish(path, pageBody(path));
    at.origin.fault(path, { kind: 'status', status, headers, body });
    const answer = await ask(at.edge, path, { method, headers: COOKIE });
    expect([answer.status, answer.headers['retry-after'], answer.headers.location]).toEqual([502, '5', undefined]);
    expect(answer.headers['cache-status']).toContain('access-login');
    expect(answer.text).not.toContain('cdn-cgi');
    at.origin.fault(path, null);
    await healed();
    expect((await ask(at.edge, path, { headers: COOKIE })).text).toBe(pageBody(path));
  });
});

describe('what is home’s own passes as it is', () => {
  test.each<[string, string | Buffer, Record<string, string>]>([
    ['a page', pageBody('own'), html],
    ['a page of a megabyte', pageBody('own', 1, 1_000_000), html],
    ['an encoded page', gzipSync(pageBody('own')), { ...html, 'Content-Encoding': 'gzip' }],
    ['an empty page', '', html],
    ['a file that contains a login page', LOGIN, { 'Content-Type': 'text/plain' }],
  ])('%s', async (name, body, headers) => {
    await healed();
    const path = `/own/${encodeURIComponent(name)}`;
    at.origin.handle(path, (_req, res) => void res.writeHead(200, headers).end(body));
    const answer = await ask(at.edge, path, { headers: { ...COOKIE, 'Accept-Encoding': 'gzip' } });
    expect([answer.status, answer.complete]).toEqual([200, true]);
    const coded = answer.headers['content-encoding'] === 'gzip';
    expect(coded).toBe('Content-Encoding' in headers);
    expect(coded ? gunzipSync(answer.body).toString() : answer.text).toBe(coded ? pageBody('own') : body);
  });

  test('the cookie Access answers a valid token with stays at the edge, and keeps no page from being stored', async () => {
    await healed();
    const cookies = ['CF_Authorization=example-jwt; Path=/; HttpOnly', 'CF_Binding=example; Path=/'];
    at.origin.publish('/let-in', pageBody('/let-in'), { 'Set-Cookie': cookies });
    const first = await ask(at.edge, '/let-in');
    expect([first.status, first.text, first.headers['set-cookie']]).toEqual([200, pageBody('/let-in'), undefined]);
    expect((await ask(at.edge, '/let-in')).headers['cache-status']).toContain('hit');
    at.origin.publish('/mine', 'mine', { 'Set-Cookie': [...cookies, 'session=2'] });
    const own = await ask(at.edge, '/mine', { headers: COOKIE });
    expect([own.text, own.headers['set-cookie']]).toEqual(['mine', 'session=2']);
  });

  test('the answer’s first bytes wait for no page to end, and a page of the cache waits for no archive', async () => {
    await healed();
    for (const headers of [{}, COOKIE]) {
      const path = `/slow/${Object.keys(headers).length}`;
      at.origin.publish(path, pageBody(path, 1, 60_000));
      at.origin.fault(path, { kind: 'drip', chunkBytes: 20_000, everyMs: 1_000 });
      const answer = await ask(at.edge, path, { headers });
      expect([answer.text, answer.totalMs - answer.firstByteMs > 900]).toEqual([pageBody(path, 1, 60_000), true]);
      at.origin.fault(path, null);
    }
  });
});

test.each([
  ['announced', false],
  ['chunked', true],
])('27 MB of HTML, %s: streams through whole, stored nowhere', async (name, chunked) => {
  await healed();
  const path = `/large/${name}`;
  at.origin.publish(path, 'x', { 'Cache-Control': 'max-age=600' });
  at.origin.fault(path, { kind: 'oversized', bytes: 27_000_000, chunked });
  for (const colo of [0, 1]) {
    const { status, body, complete } = await ask(at.edge, path, { timeoutMs: 90_000 }, colo);
    expect([status, body.byteLength, complete]).toEqual([200, 27_000_000, true]);
  }
  expect(at.origin.count(path)).toBe(2);
  at.origin.fault(path, null);
});

describe('streams', () => {
  const sockets: Socket[] = [];
  let server: Server;
  let edge: Awaited<ReturnType<typeof startEdge>>;
  beforeAll(async () => {
    server = createServer((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      res.write('data: first\n\n');
    })
      .on('upgrade', echoUpgrade)
      .on('connection', (socket) => sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    edge = await startEdge({ origin, env: { PORCHLIGHT_VARS } });
  });
  afterAll(async () => {
    await edge.stop();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  test('a WebSocket passes', async () => {
    expect(await exchange(portOf(edge), '/socket', ['one', 'two'])).toEqual(['echo one', 'echo two']);
  });

  test('events pass as they come', async () => {
    const headers = { Accept: 'text/event-stream' };
    const text = await new Promise<string>((resolve, reject) => {
      const asked = request({ port: portOf(edge), host: '127.0.0.1', path: '/events', headers }, (res) =>
        res.once('data', (chunk: Buffer) => {
          resolve(chunk.toString());
          asked.destroy();
        }),
      );
      asked.on('error', reject).end();
    });
    expect(text).toBe('data: first\n\n');
  });
});
