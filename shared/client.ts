import type { ErrorBody } from './contract/problem.ts';
import type { PurgeAccepted, PurgeInput, PurgeStatus } from './contract/purge.ts';
import type { StatusReport } from './contract/status.ts';
import type { Job, JobAccepted, Summary, SummaryInput } from './contract/summary.ts';

/** The part of fetch that is used; that of Node, Bun, Workers and browsers fits. */
export type ClientFetch = (url: string, init: ClientRequest) => Promise<ClientResponse>;
export interface ClientRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  // Each runtime declares its own AbortSignal; this file compiles with none of them.
  readonly signal: never;
}
export interface ClientResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/** Capabilities every JavaScript runtime has; handed in by tests. */
export interface ClientRuntime {
  readonly fetch: ClientFetch;
  readonly sleep: (ms: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  /** A signal that aborts after so many milliseconds. */
  readonly timeout: (ms: number) => unknown;
  readonly newId: () => string;
}

export interface ClientOptions {
  /** Such as https://api.blog.example. */
  readonly baseUrl: string;
  /** Headers that prove the caller, asked for before every attempt: ID tokens expire. What it throws counts as `unavailable`. See `bearer`. */
  readonly credentials: () => Promise<Record<string, string>> | Record<string, string>;
  /** For one attempt; 5 s by default. A summary has its own: its deadline and a margin. */
  readonly timeoutMs?: number;
  /** Attempts in all; 4 by default, at most about 4 s of waiting between them. */
  readonly attempts?: number;
  readonly runtime?: Partial<ClientRuntime>;
}

/** What went wrong, by who can mend it. */
export type BridgeFailure =
  /** The request is wrong: sending it again will not help. `code` and `field` say what. */
  | 'invalid'
  /** The credential does not hold or does not open this. */
  | 'unauthorized'
  | 'not-found'
  | 'conflict'
  /** It was tried as often as allowed, or longer is to be waited than is for the client to do; the bridge is away, overloaded or failing. */
  | 'unavailable';

export class BridgeError extends Error {
  readonly failure: BridgeFailure;
  /** HTTP status, 0 without an answer. */
  readonly status: number;
  readonly code: string;
  readonly field: string | undefined;
  readonly requestId: string | undefined;
  /** What the bridge asked to wait, in milliseconds; 0 where it said nothing. */
  readonly retryAfterMs: number;

  constructor(
    failure: BridgeFailure,
    status: number,
    detail: Partial<ErrorBody['error']> & { message: string },
    retryAfterMs = 0,
  ) {
    super(detail.message);
    this.name = 'BridgeError';
    this.failure = failure;
    this.status = status;
    this.code = detail.code ?? failure;
    this.field = detail.field;
    this.requestId = detail.requestId;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface BridgeClient {
  /** Resolves once the purge is durable. Repeated attempts are one purge: it gets its id here where it has none. */
  purge(purge: PurgeInput): Promise<PurgeAccepted>;
  purgeStatus(id: string): Promise<PurgeStatus>;
  status(): Promise<StatusReport>;
  /**
   * Waits for the summary, at most its deadline. Repeated attempts are one job: it gets its id here where it has none. With `attempts`
   * above one, the whole may take as many times as long.
   */
  summarize(input: SummaryInput): Promise<Summary>;
  /** Resolves once the job is durable; see `job`. */
  summarizeLater(input: SummaryInput): Promise<JobAccepted>;
  job(id: string): Promise<Job>;
  /** The last one made of the thread; `not-found` where there is none. */
  threadSummary(threadId: string): Promise<Summary>;
  /**
   * Removes it, here and at the edge, with all that is known of the thread: for some minutes none of its comments is summarised, so that
   * a request already on its way brings nothing back. Resolves also where there was none.
   */
  deleteThreadSummary(threadId: string): Promise<void>;
  /** The same for one comment that was deleted or hidden: what was made from it goes, the other comments may be summarised at once. */
  deleteComment(threadId: string, commentId: string): Promise<void>;
}

/** Credentials from a fixed token, or from a function that fetches one, such as an ID token of the metadata server. */
export function bearer(token: string | (() => Promise<string>)): ClientOptions['credentials'] {
  return async () => ({ authorization: `Bearer ${typeof token === 'string' ? token : await token()}` });
}

export function createBridgeClient(options: ClientOptions): BridgeClient {
  const runtime = { ...platform(), ...options.runtime };
  const base = options.baseUrl.replace(/\/+$/, '');
  const call = <T>(method: string, path: string, more: Partial<Call> = {}) =>
    request<T>(options, runtime, { method, url: base + path, timeoutMs: options.timeoutMs ?? 5000, ...more });
  const named = <T extends { id?: string | undefined }>(body: T) => ({ ...body, id: body.id ?? runtime.newId() });
  const threadPath = (id: string) => `/v1/threads/${encodeURIComponent(id)}`;
  const remove = (path: string) => call<void>('DELETE', path).catch(unlessNotFound);
  return {
    purge: (purge) => call('POST', '/v1/purge', { body: named(purge) }),
    purgeStatus: (id) => call('GET', `/v1/purges/${encodeURIComponent(id)}`),
    status: () => call('GET', '/v1/status'),
    summarize: (input) => call('POST', '/v1/summaries', { body: named(input), timeoutMs: summaryTimeoutMs(input) }),
    summarizeLater: (input) =>
      call('POST', '/v1/summaries', { body: named(input), headers: { prefer: 'respond-async' } }),
    job: (id) => call('GET', `/v1/summaries/${encodeURIComponent(id)}`),
    threadSummary: (threadId) => call('GET', `${threadPath(threadId)}/summary`),
    deleteThreadSummary: (threadId) => remove(`${threadPath(threadId)}/summary`),
    deleteComment: (threadId, commentId) => remove(`${threadPath(threadId)}/comments/${encodeURIComponent(commentId)}`),
  };
}

/** A deleted summary whose answer was lost is not there the second time. */
function unlessNotFound(error: unknown): void {
  if (!(error instanceof BridgeError && error.failure === 'not-found')) throw error;
}

/** The bridge answers within its deadline and 250 ms; the rest is for the network and the body. */
const SUMMARY_MARGIN_MS = 5000;
// As `DEADLINE_MS` of the contract, which is not imported: it would bring the schemas into every caller's bundle.
const SUMMARY_DEADLINE_MS = { interactive: 30_000, background: 300_000 };

const summaryTimeoutMs = ({ options }: SummaryInput): number =>
  (options?.deadlineMs ?? SUMMARY_DEADLINE_MS[options?.priority ?? 'interactive']) + SUMMARY_MARGIN_MS;

const FIRST_WAIT_MS = 200;
const WAIT_MAX_MS = 5000;

interface Call {
  readonly method: string;
  readonly url: string;
  readonly timeoutMs: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * Every call is idempotent, so whatever may pass is tried again: no answer, 408, 429 and 5xx. Not before `Retry-After` is over: where
 * that is longer than the client waits, its caller is told at once.
 */
async function request<T>(options: ClientOptions, runtime: ClientRuntime, call: Call): Promise<T> {
  const attempts = options.attempts ?? 4;
  for (let attempt = 1; ; attempt++) {
    const outcome = await once<T>(options, runtime, call);
    if ('value' in outcome) return outcome.value;
    const { failure, retryAfterMs } = outcome.error;
    if (failure !== 'unavailable' || attempt >= attempts || retryAfterMs > WAIT_MAX_MS) throw outcome.error;
    const full = Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** attempt);
    await runtime.sleep(Math.max(full / 2 + (full / 2) * runtime.random(), retryAfterMs));
  }
}

type Outcome<T> = { readonly value: T } | { readonly error: BridgeError };

async function once<T>(
  options: ClientOptions,
  runtime: ClientRuntime,
  { method, url, timeoutMs, body, headers }: Call,
): Promise<Outcome<T>> {
  let missing = 'no credentials for the bridge';
  try {
    const credentials = await options.credentials();
    missing = 'no answer from the bridge';
    const response = await runtime.fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...credentials,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: runtime.timeout(timeoutMs) as never,
    });
    if (response.status === 204) return { value: undefined as T };
    const text = await response.text();
    const answer = parse(text);
    if (response.status >= 200 && response.status < 300 && answer !== undefined) return { value: answer as T };
    return { error: errorOf(response.status, answer, askedMs(response.headers.get('retry-after'))) };
  } catch (error) {
    const message = `${missing}: ${error instanceof Error ? error.message : String(error)}`;
    return { error: new BridgeError('unavailable', 0, { message }) };
  }
}

function errorOf(status: number, answer: unknown, retryAfterMs: number): BridgeError {
  const detail = (answer as ErrorBody | undefined)?.error ?? { message: `the bridge answered with status ${status}` };
  return new BridgeError(failureOf(status), status, detail, retryAfterMs);
}

function failureOf(status: number): BridgeFailure {
  if (status === 401 || status === 403) return 'unauthorized';
  if (status === 404) return 'not-found';
  if (status === 409) return 'conflict';
  // A success without JSON is not the bridge's: a login page, a captive portal.
  return status === 408 || status === 429 || status >= 500 || status < 400 ? 'unavailable' : 'invalid';
}

const askedMs = (value: string | null) => (value !== null && /^\d+$/.test(value) ? Number(value) * 1000 : 0);

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The globals of whatever runs this, named here because no runtime's types are loaded. */
function platform(): ClientRuntime {
  const scope = globalThis as unknown as {
    fetch: ClientFetch;
    setTimeout(callback: () => void, ms: number): unknown;
    AbortSignal: { timeout(ms: number): unknown };
    crypto: { randomUUID(): string };
  };
  return {
    // Called as a method of its scope: Workers and browsers refuse a detached fetch.
    fetch: (url, init) => scope.fetch(url, init),
    sleep: (ms) => new Promise((resolve) => void scope.setTimeout(resolve, ms)),
    random: Math.random,
    timeout: (ms) => scope.AbortSignal.timeout(ms),
    newId: () => scope.crypto.randomUUID(),
  };
}
