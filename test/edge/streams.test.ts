import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Edge, startEdge } from '../support/edge.ts';
import { poll, sleep } from '../support/program.ts';
import { ask, LONG, portOf } from './support.ts';
import { echoUpgrade, exchange } from './websocket.ts';

vi.setConfig(LONG);

let server: Server;
let edge: Edge;
let version = 1;
const seen: string[] = [];
const sockets = new Set<Socket>();

/** An origin that answers while it still reads; unlike the other tests' origin it buffers nothing. */
function serve(req: IncomingMessage, res: ServerResponse): void {
  const { method = '', url = '' } = req;
  seen.push(`${method} ${url}`);
  req.on('error', () => res.destroy());
  if (url === '/echo') {
    res.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    res.flushHeaders();
    req.pipe(res);
  } else if (url === '/events' || url === '/events/plain') events(res);
  else if (method === 'POST' || method === 'PUT' || method === 'DELETE' || method === 'PATCH') {
    req.resume().on('end', () => {
      const status = url.startsWith('/refuse') ? 403 : 201;
      res.writeHead(status, { Location: '/page/created', 'Content-Location': '/page/list' }).end('done');
    });
  } else if (method === 'GET' || method === 'HEAD')
    res.writeHead(200, { 'Cache-Control': 'max-age=600' }).end(method === 'GET' ? `${url} version ${version}` : '');
  else req.resume().on('end', () => res.writeHead(204, { 'X-Method': method }).end());
}

const live = new Set<ServerResponse>();
function events(res: ServerResponse): void {
  live.add(res);
  res.on('close', () => live.delete(res));
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'max-age=600' });
  res.write('data: first\n\n');
}

beforeAll(async () => {
  server = createServer(serve);
  server.on('upgrade', echoUpgrade);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const vars = JSON.stringify({ ANY_HOST: 'false', FIRST_BYTE_MS: '2000' });
  edge = await startEdge({ origin, env: { PORCHLIGHT_VARS: vars } });
});
afterAll(async () => {
  await edge.stop();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  seen.length = 0;
});

/** A page nobody stored, answered by home: the breaker is closed. */
let probes = 0;
async function homeAnswers(): Promise<void> {
  probes += 1;
  const path = `/alive/${probes}`;
  const answer = await ask(edge, path);
  expect([answer.status, answer.text]).toEqual([200, `${path} version ${version}`]);
}

test('a WebSocket is handed through', async () => {
  expect(await exchange(portOf(edge), '/socket', ['one', 'two'])).toEqual(['echo one', 'echo two']);
});

describe('an event stream', () => {
  test.each([
    ['/events', { Accept: 'text/event-stream' }],
    ['/events/plain', { Accept: '*/*' }],
  ])('reaches each reader event by event: %s', async (path, headers) => {
    const readers = await Promise.all([0, 1].map(() => open(path, headers)));
    for (const reader of readers) await reader.until('data: first\n\n');
    // The next one is written only after the first was read: nothing on the way waits for more.
    for (const res of live) res.write('data: second\n\n');
    for (const reader of readers) await reader.until('data: first\n\ndata: second\n\n');
    for (const reader of readers) reader.close();
    for (const res of live) res.end();
  });
});

interface OpenReader {
  until(text: string): Promise<void>;
  close(): void;
}

/** A request whose answer is read as it comes. */
function open(path: string, headers: Record<string, string>): Promise<OpenReader> {
  return new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port: portOf(edge), path, headers, agent: false });
    req.on('error', reject).on('response', (res) => {
      let text = '';
      res.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      res.on('error', () => {});
      resolve({
        async until(expected) {
          await poll(() => text.length >= expected.length, 10_000);
          expect(text).toBe(expected);
        },
        close: () => req.destroy(),
      });
    });
    req.end();
  });
}

test('POST streams both ways: home answers what it has while the rest is still being sent', async () => {
  const req = request({ host: '127.0.0.1', port: portOf(edge), path: '/echo', method: 'POST', agent: false });
  let text = '';
  const ended = new Promise<void>((resolve, reject) => {
    req.on('error', reject).on('response', (res) => {
      res.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      res.on('end', resolve).on('error', reject);
    });
  });
  for (const part of ['one ', 'two ', 'three']) {
    const expected = text.length + part.length;
    req.write(part);
    expect(await poll(() => text.length >= expected, 10_000)).toBe(true);
  }
  req.end();
  await ended;
  expect(text).toBe('one two three');
});

describe('an unsafe request', () => {
  test.each(['POST', 'PUT', 'DELETE', 'PATCH'])('%s makes its page and those it names stale', async (method) => {
    const pages = ['/page/target', '/page/created', '/page/list'];
    for (const page of pages) await ask(edge, page);
    version += 1;
    const answer = await ask(edge, '/page/target', { method, body: 'x' });
    expect([answer.status, answer.headers['cache-status']]).toEqual([201, 'porchlight; fwd=method; fwd-status=201']);
    for (const page of pages) expect((await ask(edge, page)).text).toBe(`${page} version ${version}`);
  });

  test('that is refused by home changes nothing', async () => {
    await ask(edge, '/refuse/target');
    seen.length = 0;
    expect((await ask(edge, '/refuse/target', { method: 'POST', body: 'x' })).status).toBe(403);
    expect((await ask(edge, '/refuse/target')).headers['cache-status']).toContain('hit');
    expect(seen).toEqual(['POST /refuse/target']);
  });
});

describe('a client cannot talk the edge into believing that home is away', () => {
  test('with GET and HEAD that have a body', async () => {
    for (let i = 0; i < 5; i += 1) {
      for (const method of ['GET', 'HEAD'])
        expect((await ask(edge, `/fat/${i}`, { method, body: 'content' })).status).toBe(200);
    }
    await homeAnswers();
  });

  test('with methods of any kind', async () => {
    for (const method of ['TRACE', 'OPTIONS', 'PROPFIND', 'PURGE', 'SEARCH', 'REPORT', 'M-SEARCH', 'LINK', 'LOCK']) {
      await ask(edge, '/method', { method }).catch(() => undefined);
    }
    await homeAnswers();
  });

  test('with uploads that are cut short', async () => {
    for (let i = 0; i < 5; i += 1) {
      const socket = connect(portOf(edge), '127.0.0.1');
      socket.on('error', () => {});
      const before = seen.length;
      socket.write('POST /cut HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf');
      await poll(() => seen.length > before, 2_000);
      if (i % 2 === 0) socket.destroy();
      else socket.end();
      await sleep(100);
    }
    await homeAnswers();
  });

  test('with uploads that never end', async () => {
    const uploads = Array.from({ length: 5 }, () => {
      const socket = connect(portOf(edge), '127.0.0.1');
      socket.on('error', () => {});
      socket.write('POST /slow HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
      return socket;
    });
    // Longer than the first byte of an answer may take.
    await sleep(2_600);
    await homeAnswers();
    for (const upload of uploads) upload.destroy();
  });
});

test('a host that is not of this site is refused with 421, and home is not asked', async () => {
  for (const host of ['other.example', 'localhost.evil.example', 'blog.localhost.evil.example']) {
    const answer = await ask(edge, '/page/target', { headers: { Host: host } });
    expect([host, answer.status, answer.headers['cache-control']]).toEqual([host, 421, 'no-store']);
  }
  for (const host of ['localhost', 'blog.localhost', 'localhost:1234'])
    expect((await ask(edge, '/page/target', { headers: { Host: host } })).status).toBe(200);
});
