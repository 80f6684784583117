import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exchange } from '../../../bridge/summaries/engine/exchange.ts';
import { until } from './setting.ts';

async function serving(answer: RequestListener): Promise<string> {
  const server = createServer({ keepAliveTimeout: 0 }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers whatever comes with these bytes. */
async function saying(bytes: string): Promise<string> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('what is sent and answered', () => {
  test('method, fields, body; status, fields, body', async () => {
    const seen: unknown[] = [];
    const url = await serving((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        seen.push(request.method, request.headers['x-one'], request.headers['content-length'], text);
        response.writeHead(418, { 'x-two': ['a', 'b'] }).end('tea');
      });
    });
    const answer = await exchange(`${url}/api`, { method: 'POST', headers: { 'X-One': '1' }, body: 'grün' });
    expect([answer.status, answer.headers.get('x-two'), await answer.text()]).toEqual([418, 'a, b', 'tea']);
    expect(seen).toEqual(['POST', '1', '5', 'grün']);
  });

  test('no redirect is followed, and what has no body has none', async () => {
    const url = await serving((_request, response) => response.writeHead(302, { location: '/there' }).end());
    expect((await exchange(url)).status).toBe(302);
    const empty = await serving((_request, response) => response.writeHead(204).end());
    expect((await exchange(empty)).body).toBeNull();
  });

  test('connections are kept', async () => {
    const ports = new Set<number | undefined>();
    const url = await serving((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('x');
    });
    for (let turn = 0; turn < 5; turn++) {
      await (await exchange(url)).text();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ports.size).toBe(1);
  });

  test('but not for long', async () => {
    let closed = false;
    const url = await serving((request, response) => {
      request.socket.once('close', () => {
        closed = true;
      });
      // Longer than an idle connection is kept: one that waits for its answer is not idle.
      setTimeout(() => response.end('x'), 4500);
    });
    expect(await (await exchange(url)).text()).toBe('x');
    expect(closed).toBe(false);
    await until(() => closed);
    expect(closed).toBe(true);
  });

  test('no faster than it is read', async () => {
    const chunk = Buffer.alloc(64 * 1024);
    let written = 0;
    const url = await serving((_request, response) => {
      const more = (): void => {
        while (written < 1000) {
          written++;
          if (!response.write(chunk)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    const reader = ((await exchange(url)).body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(written).toBeLessThan(1000);
    let bytes = 0;
    for (let next = await reader.read(); !next.done; next = await reader.read()) bytes += next.value.byteLength;
    expect(bytes).toBeGreaterThan(900 * chunk.byteLength);
  });
});

describe('how it ends', () => {
  test.each([
    ['nobody listens', 'http://127.0.0.1:1', 'ECONNREFUSED'],
    ['another scheme', 'ftp://127.0.0.1/', 'ftp:'],
    ['no address', 'nonsense', 'Invalid URL'],
  ])('%s', async (_what, url, expected) => {
    const error = await exchange(url).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(`${(error as Error).message} ${String((error as Error).cause)}`).toContain(expected);
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['nothing', ''],
    ['a status that there is not', 'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'],
  ])('%s is a failed fetch', async (_what, bytes) => {
    await expect(exchange(await saying(bytes))).rejects.toThrow('fetch failed');
  });

  test('a body that breaks off is an error, not an end', async () => {
    const answer = await exchange(await saying('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'));
    await expect(answer.text()).rejects.toThrow('terminated');
  });

  test.each(['before the headers', 'within the body', 'by whoever reads'])(
    'aborted %s the connection closes',
    async (when) => {
      let closed = false;
      let asked = false;
      const url = await serving((request, response) => {
        asked = true;
        request.socket.once('close', () => {
          closed = true;
        });
        if (when !== 'before the headers') response.write('x');
      });
      const abort = new AbortController();
      const answering = exchange(url, { signal: abort.signal });
      if (when === 'before the headers') {
        void until(() => asked).then(() => abort.abort());
        await expect(answering).rejects.toThrow('fetch failed');
      } else {
        const answer = await answering;
        if (when === 'by whoever reads') await answer.body?.cancel();
        else {
          abort.abort();
          await expect(answer.text()).rejects.toThrow('terminated');
        }
      }
      await until(() => closed);
      expect(closed).toBe(true);
    },
  );
});
