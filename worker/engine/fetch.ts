import type { FetchOutcome } from '../ledger/leases.ts';
import type { OriginResult } from '../origin/origin.ts';
import { responseDirectives } from '../policy/directives.ts';
import { fillFields } from '../policy/forward.ts';
import { field, type HeaderList } from '../policy/header-list.ts';
import { isAccessLogin, isGatewayError, isHtml, isInvalidStatus, looksLikeAccessLogin } from '../policy/impostor.ts';
import { type NotStored, storability, takesBack } from '../policy/storability.ts';
import {
  describe,
  interpret,
  isDecoded,
  type OriginHead,
  type StoredMeta,
  type StoredResponse,
} from '../policy/stored.ts';
import { freshen, selectsStored, validationFields } from '../policy/validation.ts';
import { LOGIN_BYTES, unlessLogin } from './beginning.ts';
import type { EngineDeps } from './deps.ts';
import type { Candidate } from './locate.ts';
import { freshnessRule, type Keep, type Page } from './page.ts';
import type { Resolution } from './resolution.ts';
import { SharedBody } from './shared-body.ts';
import { hashOf, keepResponse } from './store.ts';
import { undoCoding } from './undo-coding.ts';

/** Called once, when it is known what a fetch came to; other data centres wait for it. */
export type Conclude = (outcome: FetchOutcome, meta?: StoredMeta) => Promise<void>;

/** A slow reader does not keep a page from being stored. */
const DRAIN_MS = 250;

interface Exchange {
  readonly page: Page;
  readonly candidate: Candidate | undefined;
  readonly seq: number;
  readonly requestTime: number;
  readonly keep: Keep;
  readonly conclude: Conclude;
}

/** Longest a page's beginning is waited for where Access guards the way. */
const LOGIN_WAIT_MS = 2_000;

const headersOf = (response: Response): HeaderList => [...response.headers];

function contentLength(headers: HeaderList): number | undefined {
  const value = field(headers, 'content-length');
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** Fetch a page from its origin and decide what becomes of the answer. Rejects never; `conclude` is always called. */
export async function fetchPage(
  deps: EngineDeps,
  page: Page,
  candidate: Candidate | undefined,
  seq: number,
  keep: Keep,
  conclude: Conclude,
): Promise<Resolution> {
  const exchange: Exchange = { page, candidate, seq, requestTime: deps.clock(), keep, conclude };
  const validators = candidate === undefined ? [] : validationFields(candidate.entry);
  const result = await send(deps, page, validators);
  if (!result.ok) {
    keep(conclude({ kind: 'failed' }));
    return { kind: 'failed', failure: result.failure, retryAfterMs: result.retryAfterMs };
  }
  const { response } = result;
  if (response.status !== 304) return received(deps, exchange, response);
  const head: OriginHead = { status: 304, headers: headersOf(response) };
  if (candidate !== undefined && selectsStored(head, candidate.entry))
    return confirmed(deps, exchange, head, candidate);
  // A 304 about something we do not have: ask again, for the whole (RFC 9111 §4.3.3).
  const again = await send(deps, page, []);
  if (again.ok && again.response.status !== 304) return received(deps, exchange, again.response);
  keep(conclude({ kind: 'failed' }));
  return { kind: 'failed', failure: 'server-error', retryAfterMs: 1000 };
}

export function send(
  deps: EngineDeps,
  page: Page,
  extra: HeaderList,
  method: 'GET' | 'HEAD' = 'GET',
): Promise<OriginResult> {
  const headers = [...page.forward(), ...fillFields(page.upstream, page.client), ...extra];
  return deps.origin(page.route.to).fetch({ method, target: page.target, headers });
}

/** A 304 may take back the leave to share what it confirms: then it makes nothing fresh, and is its reader's alone. */
function noLongerShared(head: OriginHead): NotStored | undefined {
  const said = responseDirectives(head.headers);
  if (said.private === true) return 'private';
  return said.noStore && !said.mustUnderstand ? 'no-store' : undefined;
}

/**
 * A stored page that is not for everyone any more. Only where the key holds all that was forwarded: else a reader's
 * own fields may have brought the refusal about, and one reader could take a page from all others.
 */
function takeBack(deps: EngineDeps, { page, candidate, keep }: Exchange, status: number, reason: NotStored): void {
  if (candidate === undefined || page.varies || !takesBack(status, reason)) return;
  keep(deps.unsharing.takeBack(page.key, candidate.entry.seq));
}

async function confirmed(
  deps: EngineDeps,
  exchange: Exchange,
  head: OriginHead,
  candidate: Candidate,
): Promise<Resolution> {
  const times = { requestTime: exchange.requestTime, responseTime: deps.clock() };
  const rule = freshnessRule(deps.freshness, field(candidate.entry.headers, 'content-type'));
  const entry: StoredResponse = { ...candidate.entry, ...freshen(candidate.entry, head, times, rule, exchange.seq) };
  const refused = noLongerShared(head);
  if (refused !== undefined) {
    takeBack(deps, exchange, 304, refused);
    exchange.keep(exchange.conclude({ kind: 'unshareable' }));
    const headers = entry.headers.map(([name, value]): [string, string] => [name, value]);
    const body = entry.body.byteLength === 0 ? null : entry.body;
    const response = new Response(body, { status: entry.status, headers });
    return { kind: 'own', response, reason: refused, fwdStatus: 304 };
  }
  const settle = async (): Promise<void> => {
    const kept = await keepResponse(deps, entry, candidate.entry);
    const unchanged: FetchOutcome = {
      kind: 'unchanged',
      bodyHash: entry.bodyHash,
      validatedAt: times.responseTime,
      age: entry.initialAge,
      fresh: entry.lifetime.fresh,
    };
    await exchange.conclude(kept === 'archived' ? { kind: 'stored' } : unchanged, entry);
  };
  exchange.keep(settle());
  const ttl = entry.lifetime.fresh - entry.initialAge;
  return { kind: 'entry', entry, outcome: { fwd: 'stale', fwdStatus: 304, ttl, stored: true } };
}

/** An answer that is not the page's: what stands in for it is decided by the reader's engine. */
function refusal(response: Response, headers: HeaderList, candidate: Candidate | undefined): Resolution | undefined {
  const { status } = response;
  if (isAccessLogin(status, headers)) return { kind: 'failed', failure: 'access-login', status, retryAfterMs: 5000 };
  if (isInvalidStatus(status)) return { kind: 'failed', failure: 'server-error', status, retryAfterMs: 1000 };
  // Only a good copy stands in for an error; one stored error is no better than the next.
  const isGood = candidate !== undefined && candidate.entry.status < 500;
  const may = isGood && candidate.judgement.use === 'stale' ? candidate.judgement.may : undefined;
  if (isGatewayError(status) && may?.whenUnreachable)
    return { kind: 'failed', failure: 'gateway-error', status, retryAfterMs: 1000 };
  if (status >= 500 && may?.onError) return { kind: 'failed', failure: 'server-error', status, retryAfterMs: 1000 };
  return undefined;
}

async function received(deps: EngineDeps, exchange: Exchange, answer: Response): Promise<Resolution> {
  const { page, candidate, keep, conclude } = exchange;
  const times = { requestTime: exchange.requestTime, responseTime: deps.clock() };
  const { status } = answer;
  const refused = refusal(answer, headersOf(answer), candidate);
  if (refused !== undefined) {
    keep(Promise.allSettled([answer.body?.cancel(), conclude({ kind: 'failed' })]));
    deps.report('origin-refused', { failure: refused.kind === 'failed' ? refused.failure : '', status });
    return refused;
  }
  // What the key does not hold no reader asked for, a coding least of all.
  const readable = page.varies ? answer : undoCoding(answer);
  const head: OriginHead = { status, headers: headersOf(readable) };
  // Whether it may be stored or not: a login page handed to one reader would stand over a good copy as well.
  const response = page.upstream.access === true ? await unlessLogin(readable, LOGIN_WAIT_MS) : readable;
  if (response === undefined) {
    keep(conclude({ kind: 'failed' }));
    return { kind: 'failed', failure: 'access-login', status: head.status, retryAfterMs: 5000 };
  }
  const rule = freshnessRule(deps.freshness, field(head.headers, 'content-type'));
  const interpretation = interpret(head, times, rule);
  const verdict = storability({
    method: 'GET',
    requestHasAuthorization: page.hasAuthorization,
    requestHasCookie: page.hasCookie,
    status: head.status,
    headers: head.headers,
    ...interpretation,
  });
  const own = (reason: NotStored): Resolution => {
    keep(conclude({ kind: 'unshareable' }));
    return { kind: 'own', response, reason, fwdStatus: head.status };
  };
  if (!verdict.store) {
    takeBack(deps, exchange, head.status, verdict.reason);
    return own(verdict.reason);
  }
  if (head.status === 206) return own('partial-invalid');
  const length = contentLength(head.headers);
  if (length !== undefined && length > deps.limits.body.maxBytes) return own('too-large');
  const meta: StoredMeta = {
    ...describe(page.key, head, times, interpretation, page.varies ? page.read : undefined, exchange.seq),
    bodyHash: '',
  };
  return fill(deps, exchange, response, meta, isDecoded(head.headers) ? undefined : length);
}

function fill(
  deps: EngineDeps,
  exchange: Exchange,
  response: Response,
  meta: StoredMeta,
  expected: number | undefined,
): Resolution {
  const { page, candidate } = exchange;
  const outcome = {
    fwd: candidate === undefined ? ('uri-miss' as const) : ('stale' as const),
    fwdStatus: meta.status,
    stored: true,
    ttl: meta.lifetime.fresh - meta.initialAge,
  };
  const source = response.body ?? new Blob([]).stream();
  const body = new SharedBody(source as ReadableStream<Uint8Array>, deps.limits.body, deps.clock);
  const leader = body.stream();
  const receive = async (): Promise<StoredResponse | undefined> => {
    const complete = await body.pump(response.body === null ? undefined : expected);
    if ('fault' in complete) {
      deps.report('body-not-stored', { fault: complete.fault });
      await exchange.conclude({ kind: complete.fault === 'too-large' ? 'unshareable' : 'failed' });
      return undefined;
    }
    if (page.upstream.access === true && isLogin(meta, complete.body)) {
      await exchange.conclude({ kind: 'failed' });
      return undefined;
    }
    return { ...meta, bodyHash: await hashOf(complete.body), body: complete.body };
  };
  const complete = receive();
  const store = async (): Promise<void> => {
    const entry = await complete;
    if (entry === undefined) return;
    if (deps.ledger.index.verdict(entry) === 'valid') deps.stage.remember(entry);
    // The readers' last bytes go out before the slower tiers are written.
    await body.drained(DRAIN_MS);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const kept = await keepResponse(deps, entry, candidate?.entry);
    const unchanged: FetchOutcome = {
      kind: 'unchanged',
      bodyHash: entry.bodyHash,
      validatedAt: meta.responseTime,
      age: meta.initialAge,
      fresh: meta.lifetime.fresh,
    };
    await exchange.conclude(
      kept === 'archived' ? { kind: 'stored' } : kept === 'unchanged' ? unchanged : { kind: 'unshareable' },
      entry,
    );
  };
  const finished = store();
  exchange.keep(finished);
  return { kind: 'stream', meta, body, outcome, leader, complete, finished };
}

function isLogin(meta: StoredMeta, body: Uint8Array): boolean {
  return isHtml(meta.headers) && looksLikeAccessLogin(new TextDecoder().decode(body.subarray(0, LOGIN_BYTES)));
}
