import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type Exchange, type Fault, type Page, playFault } from './faults.ts';

export type { Fault } from './faults.ts';

type HeaderTable = Record<string, string | string[]>;

/** One request as the origin saw it. `path` is the request target, query included. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  rawHeaders: string[];
  body: Buffer;
  status: number | undefined;
}

/** Answers a path by hand. It owns the response from there on. */
export type Handler = (req: IncomingMessage, res: ServerResponse, body: Buffer) => void | Promise<void>;

/** The headers of a published page, where the caller names no other. */
export const PAGE_HEADERS: HeaderTable = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'public, max-age=3600',
};

const NOT_FOUND: Page = {
  version: 0,
  status: 404,
  body: Buffer.from('not found\n'),
  headers: { 'Content-Type': 'text/plain' },
};

/** A programmable HTTP origin on loopback that counts what it is asked for. */
export class Origin {
  /** Every request since the start or the last `forget()`, in order of arrival. */
  readonly seen: SeenRequest[] = [];
  readonly port: number;
  readonly #pages = new Map<string, Page>();
  readonly #faults = new Map<string, { fault: Fault; left: number }>();
  readonly #handlers = new Map<string, Handler>();
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Map<NodeJS.Timeout, () => void>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('request', (req, res) => void this.#serve(req, res).catch(() => res.destroy()));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
  }

  /** Listens on 127.0.0.1, by default on a port the system chooses. */
  static async start(port = 0): Promise<Origin> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await listen(server, port);
    return new Origin(server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Puts a new version of a page in place and returns its number, 1 for the first. */
  publish(path: string, body: string | Buffer, headers: HeaderTable = {}, status = 200): number {
    const bytes = Buffer.from(body);
    const version = (this.#pages.get(path)?.version ?? 0) + 1;
    const ETag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
    this.#pages.set(path, { version, status, body: bytes, headers: { ...PAGE_HEADERS, ETag, ...headers } });
    return version;
  }

  remove(path: string): void {
    this.#pages.delete(path);
  }

  /** Answers `path` (`*`: every path) with `fault`, for ever or for the next `times` requests; null heals it. */
  fault(path: string, fault: Fault | null, times = Number.POSITIVE_INFINITY): void {
    if (fault === null) this.#faults.delete(path);
    else this.#faults.set(path, { fault, left: times });
  }

  /** Answers `path` (`*`: every path without a page) by hand. */
  handle(path: string, handler: Handler | null): void {
    if (handler === null) this.#handlers.delete(path);
    else this.#handlers.set(path, handler);
  }

  /** How many requests a path got, the query included only if `path` has one; without a path, all of them. */
  count(path?: string): number {
    if (path === undefined) return this.seen.length;
    return this.seen.filter((r) => r.path === path || r.path.split('?')[0] === path).length;
  }

  forget(): void {
    this.seen.length = 0;
  }

  /** Unplugs it: open connections are reset, new ones refused. Pages, faults and counts stay for `restart()`. */
  async kill(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const [timer, wake] of this.#timers) {
      clearTimeout(timer);
      wake();
    }
    this.#timers.clear();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Plugs it in again on the same port. */
  async restart(): Promise<void> {
    await listen(this.#server, this.port);
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.kill();
  }

  #pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, ms);
      this.#timers.set(timer, resolve);
    });

  #faultFor(path: string): Fault | undefined {
    for (const key of [path, path.split('?')[0] ?? path, '*']) {
      const entry = this.#faults.get(key);
      if (entry === undefined || entry.left <= 0) continue;
      entry.left -= 1;
      return entry.fault;
    }
    return undefined;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = req.url ?? '/';
    const chunks: Buffer[] = [];
    const record: SeenRequest = {
      method: req.method ?? 'GET',
      path,
      headers: req.headers,
      rawHeaders: req.rawHeaders,
      body: Buffer.alloc(0),
      status: undefined,
    };
    this.seen.push(record);
    res.on('close', () => {
      if (res.headersSent) record.status = res.statusCode;
    });
    for await (const chunk of req) chunks.push(chunk as Buffer);
    record.body = Buffer.concat(chunks);
    const bare = path.split('?')[0] ?? path;
    const page = this.#pages.get(path) ?? this.#pages.get(bare) ?? NOT_FOUND;
    const exchange: Exchange = { req, res, page, pause: this.#pause };
    const fault = this.#faultFor(path);
    if (fault !== undefined && (await playFault(exchange, fault))) return;
    const wildcard = page === NOT_FOUND ? this.#handlers.get('*') : undefined;
    const handler = this.#handlers.get(path) ?? this.#handlers.get(bare) ?? wildcard;
    if (handler !== undefined) await handler(req, res, record.body);
    else answer(exchange);
  }
}

/** RFC 9110 section 13.1.2: a matching entity tag makes it a 304; other preconditions are not looked at. */
function answer({ req, res, page }: Exchange): void {
  const etag = page.headers.ETag;
  const asked = req.headers['if-none-match'];
  if (page.status === 200 && asked !== undefined && typeof etag === 'string' && asked.includes(etag)) {
    const { 'Content-Type': _type, ...rest } = page.headers;
    res.writeHead(304, rest).end();
    return;
  }
  res.writeHead(page.status, { ...page.headers, 'Content-Length': String(page.body.length) });
  res.end(req.method === 'HEAD' ? undefined : page.body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}
