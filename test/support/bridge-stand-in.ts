import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Gate, identify } from '../../shared/access/gate.ts';
import { Summary, SummaryRequest } from '../../shared/contract/summary.ts';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly caller: string;
  readonly body: unknown;
}
interface Reply {
  readonly status: number;
  readonly body?: unknown;
}

export interface BridgeStandIn {
  readonly url: string;
  readonly seen: Seen[];
  /** What the next requests are answered with instead; one each. */
  readonly next: ((seen: Seen) => Reply | null | Promise<Reply | null>)[];
  close(): Promise<void>;
}

const refusal = (status: number, code: string): Reply => ({ status, body: { error: { code, message: code } } });

/**
 * The bridge's summary routes by the contract: a caller is admitted as the bridge does it, the request must parse, one id is one job,
 * and what is answered parses as well. The summary says how many comments it saw.
 */
export async function startBridgeStandIn(gate: Gate): Promise<BridgeStandIn> {
  const seen: Seen[] = [];
  const next: BridgeStandIn['next'] = [];
  const jobs = new Map<string, string>();

  const decide = async (one: Seen, refused: string | null): Promise<Reply> => {
    const scripted = await next.shift()?.(one);
    if (scripted) return scripted;
    if (refused !== null) return refusal(refused === 'not-on-allow-list' ? 403 : 401, refused);
    if (one.method === 'DELETE' && /^\/v1\/threads\/[^/]+\/(summary|comments\/[^/]+)$/.test(one.path))
      return { status: 204 };
    if (one.method !== 'POST' || one.path !== '/v1/summaries') return refusal(404, 'unknown-route');
    const parsed = SummaryRequest.safeParse(one.body);
    if (!parsed.success) return refusal(400, 'invalid');
    const { id = '' } = parsed.data;
    const content = JSON.stringify(parsed.data.thread);
    if ((jobs.get(id) ?? content) !== content) return refusal(409, 'id-in-use');
    jobs.set(id, content);
    return { status: 200, body: summaryOf(parsed.data) };
  };

  const server = createServer(async (request, response) => {
    const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const verdict = await identify(headers, ['google'], gate);
    const one: Seen = {
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      caller: verdict.ok ? verdict.value.name : `refused: ${verdict.reason}`,
      body: await bodyOf(request),
    };
    seen.push(one);
    const { status, body } = await decide(one, verdict.ok ? null : verdict.reason);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, next, close };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? null : JSON.parse(text);
}

export function summaryOf(request: SummaryRequest): Summary {
  const comments = request.thread?.comments ?? [];
  return Summary.parse({
    threadId: request.thread?.id,
    summary: `${comments.length} said something.`,
    points: comments.map(({ id, text }) => ({ text, commentIds: [id] })),
    engine: 'extractive',
    promptVersion: '1',
    language: 'und',
    coverage: { comments: comments.length, covered: comments.length, omitted: 0 },
    stale: false,
    cached: false,
    reason: 'no-model',
    tokens: { prompt: 0, completion: 0 },
    timings: { queuedMs: 0, firstTokenMs: null, generatedMs: 0, totalMs: 1 },
    createdAt: '2026-11-21T12:00:00.000Z',
  });
}
