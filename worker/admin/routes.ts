import type { Edge } from '../assemble.ts';
import type { Keep } from '../engine/page.ts';
import { messageOf } from '../report.ts';
import { health } from './health.ts';
import { JSON_TYPE, json } from './json.ts';
import { purge } from './purge.ts';
import { parsePurge } from './purge-request.ts';
import { bearer } from './token.ts';
import { parseWarm, type WarmRead, warm } from './warm.ts';

const MAX_BODY_BYTES = 1_000_000;

const problem = (status: number, code: string, message: string, field?: string): Response =>
  json(
    status,
    { error: { code, message, ...(field === undefined ? {} : { field }) } },
    status === 401 ? { 'www-authenticate': 'Bearer realm="porchlight"' } : {},
  );

async function body(request: Request): Promise<{ value: unknown } | { response: Response }> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES)
    return { response: problem(413, 'too_large', `The body may have at most ${MAX_BODY_BYTES} bytes.`) };
  const text = await request.text();
  if (text.length > MAX_BODY_BYTES)
    return { response: problem(413, 'too_large', `The body may have at most ${MAX_BODY_BYTES} bytes.`) };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return { response: problem(400, 'invalid_json', `The body is not JSON: ${messageOf(error)}`, '') };
  }
}

/** The edge's own interface under /.porchlight/. undefined for a path that is not part of it. */
export async function adminAnswer(
  edge: Edge,
  request: Request,
  path: string,
  read: WarmRead,
  keep: Keep,
): Promise<Response> {
  if (path === '/.porchlight/health')
    return request.method === 'GET' || request.method === 'HEAD'
      ? health(edge, keep)
      : problem(405, 'method_not_allowed', 'Use GET.');
  if (path !== '/.porchlight/purge' && path !== '/.porchlight/warm')
    return problem(
      404,
      'not_found',
      'Known: POST /.porchlight/purge, POST /.porchlight/warm, GET /.porchlight/health.',
    );
  if (request.method !== 'POST') return problem(405, 'method_not_allowed', 'Use POST.');
  if (edge.config.tokens.length === 0)
    return problem(401, 'unauthorized', 'No EDGE_TOKEN is configured, so nobody may use this.');
  if ((await bearer(request.headers.get('authorization'), edge.config.tokens)) === undefined) {
    return problem(401, 'unauthorized', 'Send a valid token as "Authorization: Bearer <token>".');
  }
  const parsedBody = await body(request);
  if ('response' in parsedBody) return parsedBody.response;
  return path === '/.porchlight/purge'
    ? purgeAnswer(edge, parsedBody.value)
    : warmAnswer(edge, parsedBody.value, read, keep);
}

async function purgeAnswer(edge: Edge, value: unknown): Promise<Response> {
  const command = parsePurge(value, edge.config.site);
  if (!command.ok) return problem(400, command.error.code, command.error.message, command.error.field);
  try {
    return json(200, await purge(edge.deps, command.value, edge.ledgerTiming.shareMs));
  } catch (error) {
    edge.deps.report('purge-failed', { error: messageOf(error) });
    return json(
      503,
      {
        error: {
          code: 'ledger_unavailable',
          message: 'The purge could not be completed; send it again with the same id.',
        },
      },
      { 'retry-after': '2' },
    );
  }
}

function warmAnswer(edge: Edge, value: unknown, read: WarmRead, keep: Keep): Response {
  const command = parseWarm(value);
  if (!command.ok) return problem(400, command.error.code, command.error.message, command.error.field);
  const { stream, done } = warm(command.value, read, edge.deps.clock);
  keep(done);
  return new Response(stream, { headers: { ...JSON_TYPE, 'content-type': 'application/x-ndjson' } });
}
