import type { IncomingMessage, ServerResponse } from 'node:http';

/** RFC 3339 with nanoseconds, as Go writes it: without trailing zeros. */
export function timestamp(): string {
  const now = performance.timeOrigin + performance.now();
  const fraction = Math.floor((now % 1000) * 1e6)
    .toString()
    .padStart(9, '0')
    .replace(/0+$/, '');
  const seconds = new Date(now).toISOString().slice(0, 19);
  return fraction === '' ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}

/** Header names and order as Ollama sends them; Node would add `Connection` and `Keep-Alive`. */
function head(res: ServerResponse, status: number, type: string, framing: [string, string]): void {
  res.removeHeader('Connection');
  res.sendDate = false;
  res.writeHead(status, ['Content-Type', type, 'Date', new Date().toUTCString(), ...framing]);
}

export function sendJson(res: ServerResponse, status: number, body: unknown, chunked = false): void {
  if (res.destroyed) return;
  const text = JSON.stringify(body);
  const length = String(Buffer.byteLength(text));
  const framing: [string, string] = chunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', length];
  head(res, status, 'application/json; charset=utf-8', framing);
  res.end(text);
}

export const sendError = (res: ServerResponse, status: number, error: string): void => sendJson(res, status, { error });

/** An error of the runner is JSON inside the string. */
export const sendRunnerError = (res: ServerResponse, error: Record<string, unknown>): void =>
  sendError(res, 400, JSON.stringify({ error }));

/** The stream's head goes out with its first line. */
export function writeLine(res: ServerResponse, line: unknown): void {
  if (res.destroyed) return;
  if (!res.headersSent) head(res, 200, 'application/x-ndjson', ['Transfer-Encoding', 'chunked']);
  res.write(typeof line === 'string' ? `${line}\n` : `${JSON.stringify(line)}\n`);
}

/** Ends a stream, properly, whatever it has said; without a line it is an empty one. */
export function endStream(res: ServerResponse): void {
  if (res.destroyed || res.writableEnded) return;
  if (!res.headersSent) head(res, 200, 'application/x-ndjson', ['Content-Length', '0']);
  res.end();
}

export function sendLoginPage(res: ServerResponse): void {
  const page = '<!doctype html><title>Sign in</title><form method="post"><input name="user"></form>';
  head(res, 200, 'text/html; charset=utf-8', ['Content-Length', String(page.length)]);
  res.end(page);
}

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** @throws Error over 32 MiB, or if the client leaves. */
export async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
