/** Circuit breaker for one upstream: a dead home must not make readers wait for it. Pure; times in ms. */
export interface BreakerState {
  readonly failures: number;
  /** While open: when the next probe may go out. */
  readonly openUntil: number;
  /** A half-open probe is on its way since then; 0 when none is. */
  readonly probeSince: number;
  readonly opened: number;
}

export interface BreakerOptions {
  /** Consecutive failures that open it. */
  readonly threshold: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** A probe that has not reported by then is given up for lost. */
  readonly probeTimeoutMs: number;
}

export const CLOSED: BreakerState = { failures: 0, openUntil: 0, probeSince: 0, opened: 0 };

export type Admission =
  | { readonly admit: true; readonly probe: boolean; readonly state: BreakerState }
  | { readonly admit: false; readonly retryAfterMs: number };

/** May a request go to the origin now? When open and due, exactly one probe may (half-open). */
export function admit(state: BreakerState, now: number, options: BreakerOptions): Admission {
  if (state.openUntil === 0) return { admit: true, probe: false, state };
  if (now < state.openUntil) return { admit: false, retryAfterMs: state.openUntil - now };
  if (state.probeSince !== 0 && now - state.probeSince < options.probeTimeoutMs) {
    return { admit: false, retryAfterMs: options.probeTimeoutMs - (now - state.probeSince) };
  }
  return { admit: true, probe: true, state: { ...state, probeSince: now } };
}

/** After an answer of any status that shows the origin alive. */
export function succeeded(): BreakerState {
  return CLOSED;
}

/**
 * After a failure to reach the origin. `random` in [0, 1) spreads the probes of many isolates (full jitter above half).
 * While open only the probe's failure counts: what was sent before says nothing new, and would free the probe's place.
 */
export function failed(
  state: BreakerState,
  now: number,
  random: number,
  options: BreakerOptions,
  probe: boolean,
): BreakerState {
  if (state.openUntil !== 0 && !probe) return state;
  const failures = state.failures + 1;
  if (failures < options.threshold && state.openUntil === 0) return { ...state, failures };
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(state.opened, 10));
  return { failures, openUntil: now + ceiling * (0.5 + random / 2), probeSince: 0, opened: state.opened + 1 };
}
