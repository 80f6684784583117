import type { FailureName } from '../types.ts';

/**
 * Policy of a circuit breaker: closed, open until a time, or half-open with one probe. Pure; states are plain data.
 * (M. Nygard, Release It!, "Circuit Breaker".)
 */
export type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly until: number; readonly openings: number; readonly failure: FailureName }
  | { readonly kind: 'half-open'; readonly openings: number; readonly failure: FailureName };

export interface BreakerLimits {
  /** Failures in a row that open it, where each is cheap and may be chance. */
  readonly threshold: number;
  /** Milliseconds of the first opening; each in a row doubles it. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

export const BREAKER_LIMITS: BreakerLimits = { threshold: 2, backoffMs: 5000, maxBackoffMs: 300_000 };

export const CLOSED: BreakerState = { kind: 'closed', failures: 0 };

export type Verdict =
  | { readonly kind: 'pass' }
  /** The one request that finds out. */
  | { readonly kind: 'probe' }
  | { readonly kind: 'refuse'; readonly failure: FailureName; readonly retryAfterMs: number };

/**
 * How each failure counts. `alive`: the engine did its part; `unknown`: nobody waited for the end, or it passes by itself (`busy`, as
 * while a model is loaded: a generation tries that again in its own time); `count`: may be chance; `at-once`: costs a long wait each
 * time, so there is no second.
 */
const WEIGHT: Readonly<Record<FailureName, 'alive' | 'unknown' | 'count' | 'at-once'>> = {
  'model-missing': 'alive',
  'context-exceeded': 'alive',
  'bad-request': 'alive',
  length: 'alive',
  repetition: 'alive',
  aborted: 'unknown',
  'breaker-open': 'unknown',
  busy: 'unknown',
  crashed: 'count',
  incomplete: 'count',
  unreachable: 'count',
  'not-ollama': 'count',
  'first-token-timeout': 'at-once',
  stalled: 'at-once',
  'on-cpu': 'at-once',
};

/** While a probe runs, nobody knows when it ends: callers come back after this. */
const PROBE_RETRY_MS = 2000;

/** What to do with a request at `now`, and the state after it. */
export function admit(state: BreakerState, now: number): { readonly verdict: Verdict; readonly state: BreakerState } {
  if (state.kind === 'closed') return { verdict: { kind: 'pass' }, state };
  const { openings, failure } = state;
  if (state.kind === 'half-open') return { verdict: { kind: 'refuse', failure, retryAfterMs: PROBE_RETRY_MS }, state };
  if (now < state.until) return { verdict: { kind: 'refuse', failure, retryAfterMs: state.until - now }, state };
  return { verdict: { kind: 'probe' }, state: { kind: 'half-open', openings, failure } };
}

interface Settling {
  readonly failure: FailureName | null;
  readonly probe: boolean;
  readonly now: number;
  /** 0 to 1. */
  readonly random: number;
  readonly limits: BreakerLimits;
}

/** Half of the delay is certain, the other half chance. */
function open(openings: number, failure: FailureName, { now, random, limits }: Settling): BreakerState {
  const delay = Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** (openings - 1));
  return { kind: 'open', until: now + Math.round(delay * (0.5 + random / 2)), openings, failure };
}

/** The state after a request that was let through ended; `failure: null` is success. */
export function settle(state: BreakerState, end: Settling): BreakerState {
  const { failure, probe, limits, now } = end;
  const weight = failure === null ? 'alive' : WEIGHT[failure];
  // One that was let through before the breaker opened says nothing new.
  if (!probe && state.kind !== 'closed') return state;
  if (weight === 'alive' || failure === null) return CLOSED;
  if (state.kind === 'half-open') {
    if (weight !== 'unknown') return open(state.openings + 1, failure, end);
    // The probe was broken off: the next request is the next probe.
    return { kind: 'open', until: now, openings: state.openings, failure: state.failure };
  }
  if (state.kind !== 'closed' || weight === 'unknown') return state;
  const failures = state.failures + 1;
  return weight === 'at-once' || failures >= limits.threshold ? open(1, failure, end) : { kind: 'closed', failures };
}
