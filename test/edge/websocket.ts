import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** RFC 6455 as far as one short text message needs it: no fragments, at most 125 bytes. */

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 0x81;

const acceptKey = (key: string): string => createHash('sha1').update(`${key}${GUID}`).digest('base64');

/** @throws Error for a text of more than 125 bytes. */
function frame(text: string, masked: boolean): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error('longer than one short frame');
  if (!masked) return Buffer.concat([Buffer.from([TEXT, payload.length]), payload]);
  const mask = randomBytes(4);
  const hidden = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.from([TEXT, 0x80 | payload.length]), mask, hidden]);
}

/** The text frames at the beginning of `bytes`, and what is left behind them. */
function textFrames(bytes: Buffer): { texts: string[]; rest: Buffer } {
  const texts: string[] = [];
  let rest = bytes;
  while (rest.length >= 2) {
    const second = rest[1] ?? 0;
    const head = 2 + (second & 0x80 ? 4 : 0);
    const end = head + (second & 0x7f);
    if (rest.length < end) break;
    const mask = rest.subarray(2, head);
    const payload = rest.subarray(head, end).map((byte, i) => (mask.length > 0 ? byte ^ (mask[i % 4] ?? 0) : byte));
    if (rest[0] === TEXT) texts.push(Buffer.from(payload).toString());
    rest = rest.subarray(end);
  }
  return { texts, rest };
}

/** A server's `upgrade` listener that says everything back. */
export function echoUpgrade(req: IncomingMessage, socket: Duplex): void {
  const key = acceptKey(req.headers['sec-websocket-key'] ?? '');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const { texts, rest } = textFrames(Buffer.concat([pending, chunk]));
    pending = rest;
    for (const text of texts) socket.write(frame(`echo ${text}`, false));
  });
  socket.on('error', () => socket.destroy());
}

/**
 * Opens a WebSocket, sends the messages and waits for as many answers.
 * @throws Error when the handshake is refused, the connection ends, or ten seconds pass first.
 */
export function exchange(port: number, path: string, messages: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const key = randomBytes(16).toString('base64');
    const socket = connect(port, '127.0.0.1');
    const end = (settle: () => void): void => {
      clearTimeout(deadline);
      socket.destroy();
      settle();
    };
    const fail = (why: string): void => end(() => reject(new Error(why)));
    const deadline = setTimeout(() => fail('no answer on the WebSocket within 10 s'), 10_000);
    let head: string | undefined;
    let pending: Buffer = Buffer.alloc(0);
    const answers: string[] = [];
    socket.on('connect', () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      ),
    );
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      const at = head === undefined ? pending.indexOf('\r\n\r\n') : -1;
      if (at >= 0) {
        head = pending.subarray(0, at).toString();
        pending = pending.subarray(at + 4);
        if (!head.startsWith('HTTP/1.1 101') || !head.includes(acceptKey(key))) return fail(`refused: ${head}`);
        for (const message of messages) socket.write(frame(message, true));
      }
      if (head === undefined) return;
      const { texts, rest } = textFrames(pending);
      pending = rest;
      answers.push(...texts);
      if (answers.length >= messages.length) end(() => resolve(answers));
    });
    socket.on('error', (error) => fail(String(error)));
    socket.on('close', () => fail('the connection ended first'));
  });
}
