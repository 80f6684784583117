export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Milliseconds to wait after the given number of failed attempts: doubling up to a ceiling, half of it random, so that callers that
 * failed together do not return together. What the other side asked for (`Retry-After`) is a lower bound.
 * @param random in [0, 1)
 */
export function backoff(failures: number, random: number, policy: BackoffPolicy, askedMs = 0): number {
  const full = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.max(Math.round(full / 2 + (full / 2) * random), askedMs);
}

const ASKED_MAX_MS = 3_600_000;

/** RFC 9110 section 10.2.3: seconds or an HTTP date; 0 where absent or senseless. Bounded, so that nobody can silence us for good. */
export function retryAfterMs(value: string | null, nowMs: number): number {
  if (value === null) return 0;
  const asked = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(asked) ? Math.min(Math.max(asked, 0), ASKED_MAX_MS) : 0;
}
