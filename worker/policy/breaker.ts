/** Circuit breaker for one upstream: a dead home must not make readers wait for it. Pure; times in ms. */
export interface BreakerState {
  /** The window in which outcomes are counted began then. */
  readonly since: number;
  readonly failures: number;
  readonly successes: number;
  /** While open: when the next probe may go out; 0 when closed. */
  readonly openUntil: number;
  /** A half-open probe is on its way since then; 0 when none is. */
  readonly probeSince: number;
  /** How often in a row it has opened: probes get rarer. */
  readonly opened: number;
}

export interface BreakerOptions {
  /** Failures within the window that open it, if at least half of all outcomes are failures: one bad page is not a dead home. */
  readonly threshold: number;
  readonly windowMs: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** A probe that has not reported by then is given up for lost. */
  readonly probeTimeoutMs: number;
}

export const CLOSED: BreakerState = { since: 0, failures: 0, successes: 0, openUntil: 0, probeSince: 0, opened: 0 };

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

function counted(state: BreakerState, now: number, options: BreakerOptions): BreakerState {
  return now - state.since > options.windowMs ? { ...state, since: now, failures: 0, successes: 0 } : state;
}

/** After an answer that shows the origin alive. When open, the probe's closes it, and so does any that was sent before. */
export function succeeded(state: BreakerState, now: number, options: BreakerOptions): BreakerState {
  if (state.openUntil !== 0) return { ...CLOSED, since: now, successes: 1 };
  const current = counted(state, now, options);
  return { ...current, successes: current.successes + 1 };
}

/**
 * After a failure to reach the origin. `random` in [0, 1) spreads the probes of many isolates (jitter over the upper half).
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
  const current = counted(state, now, options);
  const failures = current.failures + 1;
  const isDead = failures >= options.threshold && failures >= current.successes;
  if (!isDead && state.openUntil === 0) return { ...current, failures };
  const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(state.opened, 10));
  return {
    ...current,
    failures,
    openUntil: now + ceiling * (0.5 + random / 2),
    probeSince: 0,
    opened: state.opened + 1,
  };
}
