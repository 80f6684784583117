import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface EdgePurge {
  readonly id: string;
  readonly mode: string;
  readonly tags?: string[];
  readonly prefixes?: string[];
  readonly urls?: string[];
  readonly everything?: boolean;
}

/** What goes wrong with a call. `lost-answer` takes the purge and breaks the connection before it answers. */
export type Fault =
  | 'down'
  | 'lost-answer'
  | 'lost-request'
  | 'hang'
  | { status: number; retryAfter?: string; body?: unknown };

export interface EdgeStandIn {
  readonly url: string;
  readonly token: string;
  /** Purges in effect: the first time each id was seen, in order. */
  readonly purges: EdgePurge[];
  /** Ids seen again. */
  readonly repeats: string[];
  readonly warmed: { urls?: string[]; sitemap?: string }[];
  /** What the last line says went wrong, where warming fails as a whole. */
  warmError: ((body: { urls?: string[]; sitemap?: string }) => string | null) | null;
  calls: number;
  fault: ((purge: EdgePurge) => Fault | null) | null;
  close(): Promise<void>;
}

/** The edge's admin interface as the bridge meets it: acknowledged purges, idempotent by id, limits and refusals in the edge's words. */
export async function startEdgeStandIn(port = 0): Promise<EdgeStandIn> {
  const purges: EdgePurge[] = [];
  const seqs = new Map<string, number>();
  const token = 'edge-example-token-0123456789';
  const edge = {
    purges,
    repeats: [] as string[],
    warmed: [] as EdgeStandIn['warmed'],
    calls: 0,
    fault: null as EdgeStandIn['fault'],
    warmError: null as EdgeStandIn['warmError'],
  };

  const purge = (body: EdgePurge, request: IncomingMessage, response: ServerResponse) => {
    edge.calls++;
    const fault = edge.fault?.(body) ?? null;
    if (fault === 'down' || fault === 'lost-request') return request.socket.destroy();
    if (fault === 'hang') return;
    if (typeof fault === 'object' && fault !== null) {
      const headers = fault.retryAfter ? { 'retry-after': fault.retryAfter } : {};
      const refusal = fault.body ?? { error: { code: 'injected', message: `status ${fault.status}` } };
      return answer(response, fault.status, refusal, headers);
    }
    const items = (body.tags?.length ?? 0) + (body.prefixes?.length ?? 0) + (body.urls?.length ?? 0);
    if (items > 1000) return answer(response, 400, { error: { code: 'too-many', message: 'more than 1,000 items' } });
    const known = seqs.get(body.id);
    if (known === undefined) {
      purges.push(body);
      seqs.set(body.id, purges.length);
    } else edge.repeats.push(body.id);
    if (fault === 'lost-answer') return request.socket.destroy();
    answer(response, 200, { seq: seqs.get(body.id), acknowledged: true });
  };

  const server = createServer(async (request, response) => {
    if (request.url === '/.porchlight/health') return answer(response, 200, { status: 'ok' });
    if (request.headers.authorization !== `Bearer ${token}`) {
      return answer(response, 401, { error: { code: 'unauthorized', message: 'unknown token' } });
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    if (request.url === '/.porchlight/purge') return purge(body as EdgePurge, request, response);
    if (request.url === '/.porchlight/warm') {
      edge.warmed.push(body as { urls?: string[] });
      return warm(body as { urls?: string[] }, edge.warmError?.(body as object) ?? null, response);
    }
    answer(response, 404, {});
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return Object.assign(edge, { url, token, close });
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

/** Progress as NDJSON, then the sum. */
function warm(body: { urls?: string[] }, error: string | null, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  if (error !== null) return void response.end(`${JSON.stringify({ done: true, warmed: 0, failed: 0, error })}\n`);
  for (const url of body.urls ?? [])
    response.write(`${JSON.stringify({ url, status: 200, outcome: 'stored', ms: 3 })}\n`);
  response.end(`${JSON.stringify({ done: true, warmed: body.urls?.length ?? 1, failed: 0 })}\n`);
}
