import type { Route, Upstream } from '../../shared/site.ts';
import { problemAnswer } from '../access/api-problem.ts';
import type { Origin } from '../origin/origin.ts';
import { type CacheOutcome, cacheStatus } from '../policy/cache-status.ts';
import { answerFields, type ClientFacts, forwardPassed } from '../policy/forward.ts';
import type { HeaderList } from '../policy/header-list.ts';
import { isAccessLogin, isInvalidStatus } from '../policy/impostor.ts';
import { unlessLogin } from './beginning.ts';
import { problemPage } from './problem-page.ts';

export interface Passing {
  readonly request: Request;
  readonly route: Route;
  readonly upstream: Upstream;
  readonly target: string;
  readonly client: ClientFacts;
  readonly outcome: CacheOutcome;
  readonly extra: HeaderList;
}

/** A page that streams to its reader waits no longer than this for proof that it is no login page. */
const LOGIN_WAIT_MS = 500;

function refused(passing: Passing, status: number, reason: string, retryAfterMs: number): Response {
  const { request, client, outcome, extra } = passing;
  const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
  // A program asked: it gets the shape of its contract.
  if (passing.route.contract === true) {
    const message = `The bridge gives no answer now (${reason}): try again in ${retryAfter} s.`;
    const headers = { 'retry-after': String(retryAfter) };
    return problemAnswer({ status, code: 'bridge-unreachable', message, headers }, client.requestId);
  }
  const problem = { retryAfter, reason, requestId: client.requestId };
  return problemPage(
    status,
    { ...problem, cacheStatus: cacheStatus({ ...outcome, detail: reason }) },
    request.method,
    extra,
  );
}

/** A request that is not the cache's business: both bodies stream, WebSockets are handed through, nothing is kept. */
export async function passThrough(origin: Origin, passing: Passing): Promise<{ response: Response; reached: boolean }> {
  const { request, client, outcome } = passing;
  const headers = forwardPassed([...request.headers], passing.upstream, client);
  const websocket = request.headers.get('upgrade')?.toLowerCase() === 'websocket';
  const result = await origin.fetch({
    method: request.method,
    target: passing.target,
    headers,
    body: request.body,
    websocket,
  });
  if (!result.ok) {
    const status = result.failure === 'timeout' ? 504 : 503;
    return { response: refused(passing, status, result.failure, result.retryAfterMs), reached: false };
  }
  const { response } = result;
  if (isInvalidStatus(response.status)) {
    await response.body?.cancel();
    return { response: refused(passing, 502, 'invalid-status', 1000), reached: true };
  }
  // A WebSocket's 101 cannot be rebuilt; it goes as it is.
  if (response.webSocket !== null) return { response, reached: true };
  const body = await ownBody(passing.upstream, response);
  if (body === undefined) return { response: refused(passing, 502, 'access-login', 5000), reached: false };
  const answer = new Headers();
  for (const [name, value] of answerFields([...response.headers])) answer.append(name, value);
  answer.set('cache-status', cacheStatus({ ...outcome, fwdStatus: response.status }));
  answer.set('x-request-id', client.requestId);
  for (const [name, value] of passing.extra) answer.set(name, value);
  const init = { status: response.status, statusText: response.statusText, headers: answer };
  return { response: new Response(body, init), reached: true };
}

/** The body as home sent it; undefined when Access answered in its place: its login page is nobody's answer. */
async function ownBody(upstream: Upstream, response: Response): Promise<ReadableStream | null | undefined> {
  if (upstream.access !== true) return response.body;
  if (isAccessLogin(response.status, [...response.headers])) {
    response.body?.cancel().catch(() => undefined);
    return undefined;
  }
  const own = await unlessLogin(response, LOGIN_WAIT_MS);
  return own === undefined ? undefined : own.body;
}
