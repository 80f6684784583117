import type { CacheOutcome } from '../policy/cache-status.ts';
import { field, type HeaderList } from '../policy/header-list.ts';
import { isWhole, parseContentRange, parseRange } from '../policy/range.ts';
import { currentAge } from '../policy/reuse.ts';
import { storability } from '../policy/storability.ts';
import {
  describe,
  interpret,
  isDecoded,
  type OriginHead,
  type StoredMeta,
  type StoredResponse,
} from '../policy/stored.ts';
import { answerHeaders, partAnswer, timing } from './answer.ts';
import type { EngineDeps } from './deps.ts';
import { send } from './fetch.ts';
import { type Flights, patience } from './flight.ts';
import { appraise, isReady, locate } from './locate.ts';
import { freshnessRule, type Keep, type Page } from './page.ts';

/** Parts of a representation are kept apart from whole ones. */
const partKey = (key: string): string => `${key}#part`;

/** Longest a reader waits for a part another one asked for. */
const WAIT_MS = 10_000;
/** A whole is asked for behind its parts once in so long, whatever became of it. */
const FILL_PAUSE_MS = 60_000;
const MAX_FILLS = 1_000;

/** Reads a page as if no part of it had been asked for. */
type ReadWhole = (page: Page, keep: Keep) => Promise<Response>;

/**
 * Ranges of pages that are not stored whole. Nobody waits for a whole video who wants its last second: the range is
 * forwarded, once for all who want the same, and the part kept near. Behind it comes the whole, where it may be stored.
 */
export class Parts {
  readonly #deps: EngineDeps;
  readonly #flights: Flights;
  readonly #readWhole: ReadWhole;
  /** Parts being asked for, by key and range. */
  readonly #running = new Map<string, Promise<Response | undefined>>();
  /** When the whole of a page was last asked for. */
  readonly #fills = new Map<string, number>();

  constructor(deps: EngineDeps, flights: Flights, readWhole: ReadWhole) {
    this.#deps = deps;
    this.#flights = flights;
    this.#readWhole = readWhole;
  }

  /** undefined when the page is stored, or is to be had whole: then the usual way answers the range. */
  async read(
    page: Page,
    now: number,
    ledgerReady: Promise<void> | undefined,
    keep: Keep,
  ): Promise<Response | undefined> {
    // From its first byte to its last is the whole: the usual way stores it, and answers while it comes.
    if (page.method !== 'GET' || parseRange(page.range) === undefined || isWhole(page.range)) return undefined;
    if ((await locate(this.#deps, page, now, ledgerReady, keep)) !== undefined) return undefined;
    const stored = this.#stored(page);
    if (stored !== undefined || page.onlyIfCached) return stored;
    const at = `${page.key} ${page.range}`;
    const running = page.ifRange === null ? this.#running.get(at) : undefined;
    if (running === undefined) return this.#lead(at, page, keep);
    // Where the first one was sent the usual way, all are; and where it is never heard of again.
    if ((await patience(running, WAIT_MS)) === undefined) {
      this.#running.delete(at);
      return undefined;
    }
    // What may not be shared, or is too large to be kept, everyone asks for; but not while the whole is coming.
    return this.#stored(page) ?? (this.#flights.has(page.key) ? undefined : this.#ask(page, keep));
  }

  #lead(at: string, page: Page, keep: Keep): Promise<Response | undefined> {
    const asked = this.#ask(page, keep);
    if (page.ifRange !== null) return asked;
    this.#running.set(at, asked);
    keep(asked.catch(() => undefined).then(() => this.#running.delete(at)));
    return asked;
  }

  #stored(page: Page): Response | undefined {
    const { clock, stage } = this.#deps;
    const near = appraise(this.#deps, stage.peek(partKey(page.key), page.read), 'memory', clock());
    if (near === undefined || !isReady(near)) return undefined;
    const { age, ttl } = near.judgement;
    return partAnswer(
      page,
      near.entry,
      headersOf(this.#deps, near.entry, { hit: true, ttl, detail: 'memory-part' }, age),
    );
  }

  async #ask(page: Page, keep: Keep): Promise<Response | undefined> {
    const deps = this.#deps;
    if (!(await deps.mayMiss(page.client.address))) return undefined;
    const range: HeaderList = [['range', page.range ?? '']];
    // What comes knows of no invalidation written after it was asked for.
    const asked = { seq: deps.ledger.index.seq, requestTime: deps.clock() };
    const result = await send(deps, page, page.ifRange === null ? range : [...range, ['if-range', page.ifRange]]);
    if (!result.ok) return undefined;
    const { response } = result;
    if (response.status === 206) return receivePart(deps, page, response, asked, keep, () => this.#fill(page, keep));
    // Not even a 200 is kept: it may have been shaped by the range, a field of the reader's own that no key holds.
    await response.body?.cancel();
    return undefined;
  }

  /** The whole, behind the reader of a part. */
  #fill(page: Page, keep: Keep): void {
    const now = this.#deps.clock();
    if (now < (this.#fills.get(page.key) ?? 0) + FILL_PAUSE_MS) return;
    if (this.#fills.size >= MAX_FILLS) this.#fills.clear();
    this.#fills.set(page.key, now);
    const whole = { ...page, range: null, ifRange: null, conditions: { ifNoneMatch: null, ifModifiedSince: null } };
    keep(this.#readWhole(whole, keep).then(({ body }) => body?.cancel()));
  }
}

function headersOf(deps: EngineDeps, meta: StoredMeta, outcome: CacheOutcome, age: number): Headers {
  const answered = { outcome, age, timing: timing(outcome), extra: deps.stage.fields(undefined, 0) };
  return answerHeaders(meta.headers, answered, deps.secure);
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
  { seq, requestTime }: { readonly seq: number; readonly requestTime: number },
  keep: Keep,
  fill: () => void,
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
    ...describe(partKey(page.key), head, times, interpretation, page.varies ? page.read : undefined, seq),
    bodyHash: '',
  };
  const outcome = {
    fwd: 'uri-miss' as const,
    fwdStatus: 206,
    ...(reason === undefined ? { stored: true } : { detail: `not-stored:${reason}` }),
  };
  const headers = headersOf(deps, meta, outcome, currentAge(meta, times.responseTime));
  if (verdict.store && part?.complete !== undefined && part.complete <= deps.limits.body.maxBytes) fill();
  if (reason !== undefined) return new Response(response.body, { status: 206, headers });
  const body = await bytesInTime(response, deps.limits.body.idleMs);
  // A part shorter than its message said never gets here: the runtime refuses it. Parts stay near; only wholes are archived.
  if (body === undefined) return undefined;
  const entry: StoredResponse = { ...meta, body };
  keep(deps.stage.put(entry));
  return new Response(body, { status: 206, headers });
}
