import { field, type HeaderList } from '../policy/header-list.ts';
import { parseContentRange, parseRange } from '../policy/range.ts';
import { currentAge } from '../policy/reuse.ts';
import { storability } from '../policy/storability.ts';
import { describe, interpret, isDecoded, type OriginHead, type StoredResponse } from '../policy/stored.ts';
import { answerHeaders, partAnswer, timing } from './answer.ts';
import type { EngineDeps } from './deps.ts';
import { send } from './fetch.ts';
import { patience } from './flight.ts';
import { appraise, isReady, locate } from './locate.ts';
import { freshnessRule, type Keep, type Page } from './page.ts';

/** Parts of a representation are kept apart from whole ones. */
const partKey = (key: string): string => `${key}#part`;

/**
 * A range of a page that is not stored whole. Asking home for a whole video because a reader wants its last second
 * would not be kind to home: the range is forwarded, and the part kept near for the next reader who wants it.
 * undefined when the page is stored, or the origin answers with the whole: then the usual way answers the range.
 */
export async function readPart(
  deps: EngineDeps,
  page: Page,
  now: number,
  ledgerReady: Promise<void> | undefined,
  keep: Keep,
): Promise<Response | undefined> {
  if (page.method !== 'GET' || parseRange(page.range) === undefined || page.range === null) return undefined;
  const whole = await locate(deps, page, now, ledgerReady, keep);
  if (whole !== undefined) return undefined;
  const stored = appraise(deps, deps.stage.peek(partKey(page.key), page.read), 'memory', now);
  if (stored !== undefined && isReady(stored)) {
    const outcome = { hit: true, ttl: stored.judgement.ttl, detail: 'memory-part' };
    const answered = {
      outcome,
      age: stored.judgement.age,
      timing: timing(outcome),
      extra: deps.stage.fields(undefined, 0),
    };
    const answer = partAnswer(page, stored.entry, answerHeaders(stored.entry.headers, answered, deps.secure));
    if (answer !== undefined) return answer;
  }
  if (page.onlyIfCached || !(await deps.mayMiss(page.client.address))) return undefined;
  const validator: HeaderList = page.ifRange === null ? [] : [['if-range', page.ifRange]];
  const requestTime = deps.clock();
  const result = await send(deps, page, [['range', page.range], ...validator]);
  if (!result.ok) return undefined;
  if (result.response.status !== 206) {
    await result.response.body?.cancel();
    return undefined;
  }
  return receivePart(deps, page, result.response, requestTime, keep);
}

/** The whole body, or undefined when it breaks off or takes longer. */
async function bytesInTime(response: Response, ms: number): Promise<Uint8Array | undefined> {
  const buffer = await patience(
    response.arrayBuffer().catch(() => undefined),
    ms,
  );
  return buffer === undefined ? undefined : new Uint8Array(buffer);
}

async function receivePart(
  deps: EngineDeps,
  page: Page,
  response: Response,
  requestTime: number,
  keep: Keep,
): Promise<Response | undefined> {
  const head: OriginHead = { status: 206, headers: [...response.headers] };
  const times = { requestTime, responseTime: deps.clock() };
  const interpretation = interpret(head, times, freshnessRule(deps.freshness, field(head.headers, 'content-type')));
  const request = { method: 'GET', requestHasAuthorization: page.hasAuthorization, requestHasCookie: page.hasCookie };
  const verdict = storability({ ...request, status: 206, headers: head.headers, ...interpretation });
  const part = parseContentRange(head.headers);
  const length = Number(field(head.headers, 'content-length') ?? Number.NaN);
  const small = length <= deps.limits.partBytes && !isDecoded(head.headers);
  // A whole message with fewer bytes than its range is kept: it begins where it says, and is used for the bytes it has.
  const reason = !verdict.store
    ? verdict.reason
    : part === undefined || length > part.last - part.first + 1
      ? 'partial-invalid'
      : page.ifRange !== null
        ? // A value of the reader's own went to the origin and is no part of the key.
          'if-range'
        : small
          ? undefined
          : 'too-large';
  const meta = {
    ...describe(
      partKey(page.key),
      head,
      times,
      interpretation,
      page.varies ? page.read : undefined,
      deps.ledger.index.seq,
    ),
    bodyHash: '',
  };
  const outcome = {
    fwd: 'uri-miss' as const,
    fwdStatus: 206,
    ...(reason === undefined ? { stored: true } : { detail: `not-stored:${reason}` }),
  };
  const headers = answerHeaders(
    meta.headers,
    {
      outcome,
      age: currentAge(meta, times.responseTime),
      timing: timing(outcome),
      extra: deps.stage.fields(undefined, 0),
    },
    deps.secure,
  );
  if (reason !== undefined) return new Response(response.body, { status: 206, headers });
  const body = await bytesInTime(response, deps.limits.body.idleMs);
  // A part shorter than its message said never gets here: the runtime refuses it. Parts stay near; only wholes are archived.
  if (body === undefined) return undefined;
  const entry: StoredResponse = { ...meta, body };
  keep(deps.stage.put(entry));
  return new Response(body, { status: 206, headers });
}
