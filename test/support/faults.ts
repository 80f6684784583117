import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

/** What an origin can do to a response. Byte counts refer to the body, times are milliseconds. */
export type Fault =
  /** Waits before the status line, then answers as usual. */
  | { kind: 'delay'; ms: number }
  /** Accepts the request and never answers. */
  | { kind: 'hang' }
  /** Full `Content-Length`, a part of the body, then silence on an open connection. */
  | { kind: 'stall'; afterBytes: number }
  /** TCP reset, before the status line or after a part of the body. */
  | { kind: 'reset'; afterBytes?: number }
  /** `Content-Length` promises more than is sent before the connection closes (RFC 9112 section 8). */
  | { kind: 'truncate'; afterBytes: number }
  /** Chunked coding that ends without the last chunk (RFC 9112 section 8). */
  | { kind: 'truncate-chunked'; afterBytes: number }
  /** A body without an end, written as fast as it is read. */
  | { kind: 'endless'; chunkBytes?: number }
  /** A complete body of this many bytes, with its length announced or, chunked, without. */
  | { kind: 'oversized'; bytes: number; chunked?: boolean }
  /** The page in small pieces, complete in the end. */
  | { kind: 'drip'; chunkBytes: number; everyMs: number }
  | { kind: 'gzip' }
  /** `Content-Encoding: gzip` over bytes that are none, are cut short, or fail their checksum. */
  | { kind: 'bad-gzip'; form: 'plain' | 'cut' | 'checksum' }
  | { kind: 'status'; status: number; body?: string; headers?: Record<string, string | string[]> }
  /** What a tunnel guarded by an access proxy answers once its service token has expired. */
  | { kind: 'login-page'; form: 200 | 302 }
  | { kind: 'set-cookie' }
  | { kind: 'private' };

export interface Page {
  version: number;
  status: number;
  body: Buffer;
  headers: Record<string, string | string[]>;
}

/** One exchange under a fault; `pause` is bounded by the life of the origin, so that no timer outlives it. */
export interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  page: Page;
  pause: (ms: number) => Promise<void>;
}

const LOGIN = '<!doctype html><title>Sign in</title><form action="/cdn-cgi/access/login">Get a login code</form>';

function head(x: Exchange, length: number | undefined, extra: Record<string, string | string[]> = {}): void {
  const headers = { ...x.page.headers, ...extra };
  x.res.writeHead(x.page.status, length === undefined ? headers : { ...headers, 'Content-Length': String(length) });
}

function flushed(res: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => res.write(bytes, () => resolve()));
}

/** Sends headers for the whole page and its first bytes, and leaves the exchange open. */
async function part(x: Exchange, bytes: number, length: number | undefined): Promise<void> {
  head(x, length);
  x.res.flushHeaders();
  if (bytes > 0) await flushed(x.res, x.page.body.subarray(0, bytes));
}

async function pour(x: Exchange, total: number, chunkBytes: number): Promise<void> {
  const chunk = Buffer.alloc(chunkBytes, 'x');
  for (let sent = 0; sent < total && !x.res.destroyed; sent += chunkBytes) {
    const piece = total - sent < chunkBytes ? chunk.subarray(0, total - sent) : chunk;
    if (!x.res.write(piece)) await drained(x.res);
  }
  if (!x.res.destroyed) x.res.end();
}

function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off('drain', done).off('close', done);
      resolve();
    };
    res.on('drain', done).on('close', done);
  });
}

function damaged(body: Buffer, form: 'plain' | 'cut' | 'checksum'): Buffer {
  if (form === 'plain') return body;
  const packed = gzipSync(body);
  if (form === 'cut') return packed.subarray(0, Math.max(12, packed.length >> 1));
  // RFC 1952 section 2.3: CRC32 and length are the last eight bytes.
  const wrong = Buffer.from(packed);
  wrong.writeUInt32LE((wrong.readUInt32LE(wrong.length - 8) ^ 0xffffffff) >>> 0, wrong.length - 8);
  return wrong;
}

function whole(x: Exchange, body: Buffer, extra: Record<string, string | string[]> = {}): void {
  head(x, body.length, extra);
  x.res.end(body);
}

async function drip(x: Exchange, chunkBytes: number, everyMs: number): Promise<void> {
  head(x, x.page.body.length);
  x.res.flushHeaders();
  for (let at = 0; at < x.page.body.length && !x.res.destroyed; at += chunkBytes) {
    await flushed(x.res, x.page.body.subarray(at, at + chunkBytes));
    await x.pause(everyMs);
  }
  x.res.end();
}

/** Broken exchanges: those that never end well. */
async function broken(x: Exchange, fault: Fault): Promise<boolean> {
  const { body } = x.page;
  switch (fault.kind) {
    case 'hang':
      return true;
    case 'stall':
      await part(x, fault.afterBytes, body.length);
      return true;
    case 'reset':
      if (fault.afterBytes !== undefined) {
        await part(x, fault.afterBytes, body.length);
        // A reset discards what the peer has not read yet.
        await x.pause(100);
      }
      x.req.socket.resetAndDestroy();
      return true;
    case 'truncate':
      await part(x, fault.afterBytes, body.length);
      x.req.socket.end();
      return true;
    case 'truncate-chunked':
      await part(x, fault.afterBytes, undefined);
      x.req.socket.end();
      return true;
    case 'endless':
      head(x, undefined);
      await pour(x, Number.POSITIVE_INFINITY, fault.chunkBytes ?? 65_536);
      return true;
    default:
      return false;
  }
}

/** Complete exchanges with something wrong, or only special, about them. */
async function complete(x: Exchange, fault: Fault): Promise<boolean> {
  const { body } = x.page;
  switch (fault.kind) {
    case 'oversized':
      head(x, fault.chunked === true ? undefined : fault.bytes);
      await pour(x, fault.bytes, 65_536);
      return true;
    case 'drip':
      await drip(x, fault.chunkBytes, fault.everyMs);
      return true;
    case 'gzip':
      whole(x, gzipSync(body), { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
      return true;
    case 'bad-gzip':
      whole(x, damaged(body, fault.form), { 'Content-Encoding': 'gzip' });
      return true;
    case 'status':
      x.res.writeHead(fault.status, { 'Content-Type': 'text/plain', ...fault.headers });
      x.res.end(fault.body ?? `status ${fault.status}\n`);
      return true;
    case 'login-page':
      if (fault.form === 200) x.res.writeHead(200, { 'Content-Type': 'text/html', 'Set-Cookie': 'CF_AppSession=x' });
      else x.res.writeHead(302, { Location: 'https://team.cloudflareaccess.example/cdn-cgi/access/login/blog' });
      x.res.end(fault.form === 200 ? LOGIN : undefined);
      return true;
    case 'set-cookie':
      whole(x, body, { 'Set-Cookie': ['session=secret; Path=/; HttpOnly', 'theme=dark'] });
      return true;
    case 'private':
      whole(x, body, { 'Cache-Control': 'private, max-age=3600' });
      return true;
    default:
      return false;
  }
}

/**
 * Plays a fault on one exchange.
 * @returns false if the exchange is still to be answered as usual (after a delay, that is).
 */
export async function playFault(x: Exchange, fault: Fault): Promise<boolean> {
  if (fault.kind === 'delay') {
    await x.pause(fault.ms);
    return x.res.destroyed;
  }
  return (await broken(x, fault)) || (await complete(x, fault));
}
