import { type Agent, type IncomingMessage, request } from 'node:http';

export interface AskOptions {
  method?: string;
  /** Sent as they are, in this order, duplicates included. `Host` and `Connection` are added only where absent. */
  headers?: Record<string, string> | [name: string, value: string][];
  body?: string | Buffer;
  /** Without one, every request has a connection of its own. */
  agent?: Agent;
  /** Closes the connection once this many body bytes have arrived. */
  leaveAfterBytes?: number;
  /** Deadline for the whole exchange. Default 30,000. */
  timeoutMs?: number;
}

export interface Answer {
  status: number;
  statusText: string;
  /** Names in lower case, repeated fields joined with a comma and a space. */
  headers: Record<string, string>;
  rawHeaders: [name: string, value: string][];
  body: Buffer;
  text: string;
  /** False if the message ended before its announced end (RFC 9112 section 8), or this client left. */
  complete: boolean;
  firstByteMs: number;
  totalMs: number;
}

function pairs(headers: AskOptions['headers']): [string, string][] {
  return Array.isArray(headers) ? [...headers] : Object.entries(headers ?? {});
}

function flatHeaders(port: number, options: AskOptions): string[] {
  const list = pairs(options.headers);
  const has = (name: string) => list.some(([key]) => key.toLowerCase() === name);
  if (!has('host')) list.unshift(['Host', `127.0.0.1:${port}`]);
  if (!has('connection') && options.agent === undefined) list.push(['Connection', 'close']);
  if (options.body !== undefined && !has('content-length') && !has('transfer-encoding')) {
    list.push(['Content-Length', String(Buffer.byteLength(options.body))]);
  }
  return list.flat();
}

function toAnswer(res: IncomingMessage, chunks: Buffer[], times: { start: number; first: number }): Answer {
  const rawHeaders: [string, string][] = [];
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < res.rawHeaders.length; i += 2) {
    const name = res.rawHeaders[i] ?? '';
    const value = res.rawHeaders[i + 1] ?? '';
    rawHeaders.push([name, value]);
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  const body = Buffer.concat(chunks);
  return {
    status: res.statusCode ?? 0,
    statusText: res.statusMessage ?? '',
    headers,
    rawHeaders,
    body,
    text: body.toString('utf8'),
    complete: res.complete,
    firstByteMs: times.first - times.start,
    totalMs: performance.now() - times.start,
  };
}

/**
 * One HTTP/1.1 exchange with 127.0.0.1, nothing normalised: the request target goes out byte for byte (one character,
 * one byte), and so do the headers. Redirects are not followed and bodies not decoded.
 * @throws Error if no response head arrives (refused, reset) or the deadline passes.
 */
export function get(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const req = request({
      host: '127.0.0.1',
      port,
      path,
      method: options.method ?? 'GET',
      headers: flatHeaders(port, options),
      agent: options.agent ?? false,
    });
    const deadline = setTimeout(() => {
      const what = `no complete answer to ${options.method ?? 'GET'} ${path} on port ${port}`;
      reject(new Error(`${what} within ${timeoutMs} ms`));
      req.destroy();
    }, timeoutMs);
    let answered = false;
    req.on('error', (error) => {
      // A reset in mid body is an error of the request too; the response then ends as incomplete.
      if (answered) return;
      clearTimeout(deadline);
      reject(error);
    });
    req.on('response', (res) => {
      answered = true;
      const chunks: Buffer[] = [];
      let bytes = 0;
      const first = performance.now();
      const done = () => {
        clearTimeout(deadline);
        resolve(toAnswer(res, chunks, { start, first }));
      };
      res.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes >= (options.leaveAfterBytes ?? Number.POSITIVE_INFINITY)) res.destroy();
      });
      res.on('error', () => {}).on('close', done);
    });
    req.end(options.body);
  });
}
