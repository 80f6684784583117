import { admit, type BreakerOptions, type BreakerState, CLOSED, failed, succeeded } from '../policy/breaker.ts';
import type { OriginRequest, Transport } from './transport.ts';

/** Why the origin gave no answer. */
export type OriginFailure = 'breaker-open' | 'timeout' | 'unreachable';

export type OriginResult =
  | { readonly ok: true; readonly response: Response; readonly abort: () => void }
  | { readonly ok: false; readonly failure: OriginFailure; readonly retryAfterMs: number };

export interface OriginTiming {
  /** Until the first byte of the response head. */
  readonly firstByteMs: number;
  readonly breaker: BreakerOptions;
}

export interface OriginDeps {
  readonly clock: () => number;
  readonly random: () => number;
  readonly onFailure: (failure: OriginFailure, error: unknown) => void;
  /** Does this answer show the origin alive? A gateway's error or a login page does not, and counts as a failure. */
  readonly isAlive: (response: Response) => boolean;
  /** Called with what every request that was let out came to; `said` is the status, or the failure. */
  readonly onOutcome?: (isUp: boolean, ms: number, said: string) => void;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);
const RETRY_PAUSE_MS = 50;

/** An upstream with a deadline, one retry and a circuit breaker around its transport. One per isolate and upstream. */
export class Origin {
  readonly #transport: Transport;
  readonly #timing: OriginTiming;
  readonly #deps: OriginDeps;
  #breaker: BreakerState = CLOSED;

  constructor(transport: Transport, timing: OriginTiming, deps: OriginDeps) {
    this.#transport = transport;
    this.#timing = timing;
    this.#deps = deps;
  }

  get breaker(): BreakerState {
    return this.#breaker;
  }

  get transportName(): string {
    return this.#transport.name;
  }

  /** Is the origin known to be away, so that waiting for it would be in vain? */
  isOpen(now: number): boolean {
    return this.#breaker.openUntil > now;
  }

  async fetch(request: OriginRequest): Promise<OriginResult> {
    const { clock } = this.#deps;
    const admission = admit(this.#breaker, clock(), this.#timing.breaker);
    if (!admission.admit) return { ok: false, failure: 'breaker-open', retryAfterMs: admission.retryAfterMs };
    this.#breaker = admission.state;
    const started = clock();
    const first = await this.#attempt(request, this.#timing.firstByteMs);
    // A body that was streamed once cannot be sent again, and a timeout has used up the reader's patience.
    const mayRetry =
      !first.ok &&
      first.failure === 'unreachable' &&
      IDEMPOTENT.has(request.method) &&
      !request.body &&
      !admission.probe;
    if (!mayRetry) return this.#settle(request, first, admission.probe, started);
    await new Promise((resolve) => setTimeout(resolve, RETRY_PAUSE_MS * (0.5 + this.#deps.random())));
    const second = await this.#attempt(request, Math.max(1, this.#timing.firstByteMs - (clock() - started)));
    return this.#settle(request, second, false, started);
  }

  #settle(request: OriginRequest, result: OriginResult, probe: boolean, started: number): OriginResult {
    const { clock, random, isAlive, onOutcome } = this.#deps;
    const { breaker } = this.#timing;
    const isUp = result.ok && isAlive(result.response);
    const saysSomething = result.ok || !request.body;
    if (saysSomething)
      onOutcome?.(isUp, clock() - started, result.ok ? String(result.response.status) : result.failure);
    if (isUp) this.#breaker = succeeded(this.#breaker, clock(), breaker);
    // A body comes at its client's pace and may be broken off: that it did not get through says nothing of home.
    else if (!saysSomething) this.#breaker = probe ? { ...this.#breaker, probeSince: 0 } : this.#breaker;
    else this.#breaker = failed(this.#breaker, clock(), random(), breaker, probe);
    return result;
  }

  async #attempt(request: OriginRequest, deadlineMs: number): Promise<OriginResult> {
    const controller = new AbortController();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      controller.abort();
    }, deadlineMs);
    try {
      const response = await this.#transport.send(request, controller.signal);
      return { ok: true, response, abort: () => controller.abort() };
    } catch (error) {
      const failure = late ? 'timeout' : 'unreachable';
      this.#deps.onFailure(failure, error);
      return { ok: false, failure, retryAfterMs: this.#timing.breaker.baseMs };
    } finally {
      clearTimeout(timer);
    }
  }
}
