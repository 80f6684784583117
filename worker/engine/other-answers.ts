import { cacheStatus } from '../policy/cache-status.ts';
import { answerFields } from '../policy/forward.ts';
import type { EngineDeps } from './deps.ts';
import type { Candidate } from './locate.ts';
import type { Page } from './page.ts';
import { problemPage } from './problem-page.ts';
import type { Resolution } from './resolution.ts';

/** An answer that may not be stored, handed to the one reader it is for. */
export function ownAnswer(
  deps: EngineDeps,
  resolution: Extract<Resolution, { kind: 'own' }>,
  candidate: Candidate | undefined,
): Response {
  const { response, reason, fwdStatus } = resolution;
  const headers = new Headers();
  for (const [name, value] of answerFields([...response.headers])) headers.append(name, value);
  for (const cookie of response.headers.getSetCookie())
    if (!headers.getSetCookie().includes(cookie)) headers.append('set-cookie', cookie);
  headers.set(
    'cache-status',
    cacheStatus({ fwd: candidate === undefined ? 'uri-miss' : 'stale', fwdStatus, detail: `not-stored:${reason}` }),
  );
  for (const [name, value] of deps.stage.fields(undefined, 0)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

/** Nothing stored and nothing to be had: say so, briefly, and when to come back. */
export function problemAnswer(
  deps: EngineDeps,
  page: Page,
  resolution: Extract<Resolution, { kind: 'failed' }>,
): Response {
  const isLimit = resolution.failure === 'rate-limited';
  const status = isLimit
    ? 429
    : page.onlyIfCached || resolution.failure === 'timeout'
      ? 504
      : resolution.failure === 'server-error'
        ? 502
        : 503;
  const retryAfter = Math.max(1, Math.ceil(resolution.retryAfterMs / 1000));
  const outcome = cacheStatus({
    fwd: 'uri-miss',
    ...(resolution.status === undefined ? {} : { fwdStatus: resolution.status }),
    detail: resolution.failure,
  });
  return problemPage(
    status,
    { retryAfter, reason: resolution.failure, requestId: page.client.requestId, cacheStatus: outcome },
    page.method,
    deps.stage.fields(undefined, 0),
  );
}
