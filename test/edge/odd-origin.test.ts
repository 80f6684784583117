import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Edge, startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';

/** Answers as no HTTP library would: the bytes are written by hand. */
const ANSWERS: Readonly<Record<string, string>> = {
  '/odd': 'HTTP/1.1 999 Odd\r\nContent-Length: 3\r\nCache-Control: max-age=60\r\n\r\nodd',
  '/part':
    'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/100\r\nContent-Length: 5\r\nCache-Control: max-age=60\r\n\r\n01234',
};

let origin: Server;
let edge: Edge;
const asked: string[] = [];

beforeAll(async () => {
  origin = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (head) => {
      const [method = '', path = ''] = head.toString('latin1').split(' ');
      const range = /^range: *(.*)$/im.exec(head.toString('latin1'))?.[1];
      asked.push(`${method} ${path}${range === undefined ? '' : ` ${range}`}`);
      socket.end(
        (ANSWERS[path] ?? 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n').replace(
          '\r\n',
          '\r\nConnection: close\r\n',
        ),
      );
    });
  });
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
  const address = origin.address();
  edge = await startEdge({ origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` });
}, 90_000);

afterAll(async () => {
  await edge?.stop();
  await new Promise((resolve) => origin.close(resolve));
});

test.each(['GET', 'POST'])('a status that is none becomes 502 for %s, never a crash', async (method) => {
  const answer = await get(edge.ports[0] ?? 0, '/odd', { method });
  expect(answer.status).toBe(502);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.headers['cache-status']).toMatch(/^porchlight; fwd=/);
});

test('a part shorter than its range answers for the bytes it has, by their true positions, and for no others', async () => {
  const ask = (range: string) => get(edge.ports[0] ?? 0, '/part', { headers: { range } });
  const parts = () => asked.filter((one) => one.startsWith('GET /part bytes=')).length;
  await ask('bytes=0-9');
  const within = await ask('bytes=1-3');
  expect([within.status, within.text, within.headers['content-range']]).toEqual([206, '123', 'bytes 1-3/100']);
  expect(parts()).toBe(1);
  // The sixth byte never came: home is asked again.
  await ask('bytes=0-9');
  expect(parts()).toBe(2);
});
