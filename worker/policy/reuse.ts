import type { Lifetime } from './freshness.ts';

/** What the ledger says of a stored response: untouched, invalidated after it was fetched, or taken down. */
export type LedgerVerdict = 'valid' | 'invalidated' | 'deleted';

export interface Aged {
  /** corrected_initial_age, seconds. */
  readonly initialAge: number;
  /** When it was received or last validated, ms. */
  readonly responseTime: number;
  readonly lifetime: Lifetime;
}

export type Judgement =
  | { readonly use: 'fresh'; readonly age: number; readonly ttl: number }
  | {
      readonly use: 'stale';
      readonly age: number;
      readonly ttl: number;
      readonly reason: StaleReason;
      readonly may: StaleUse;
    }
  | { readonly use: 'gone' };

export type StaleReason = 'expired' | 'no-cache' | 'invalidated';

/** Which stale uses are allowed now (RFC 9111 §4.2.4, RFC 5861). */
export interface StaleUse {
  /** Serve at once and revalidate behind it. */
  readonly whileRevalidate: boolean;
  /** Serve when the origin answers with an error. */
  readonly onError: boolean;
  /** Serve when the origin cannot be reached ("disconnected"). */
  readonly whenUnreachable: boolean;
}

/** current_age in seconds (RFC 9111 §4.2.3). */
export function currentAge(stored: Aged, now: number): number {
  return stored.initialAge + Math.max(0, (now - stored.responseTime) / 1000);
}

/** May this stored response be used now, and how (RFC 9111 §4)? */
export function judge(stored: Aged, verdict: LedgerVerdict, now: number): Judgement {
  if (verdict === 'deleted') return { use: 'gone' };
  const { lifetime } = stored;
  const age = currentAge(stored, now);
  const ttl = Math.floor(lifetime.fresh - age);
  const isFresh = lifetime.fresh > age;
  if (isFresh && verdict === 'valid' && !lifetime.always) return { use: 'fresh', age, ttl };
  const past = age - lifetime.fresh;
  // An invalidated copy is known to be wrong: it waits for validation first, but still beats an error page.
  const invalidated = verdict === 'invalidated';
  const may: StaleUse = {
    whileRevalidate: !invalidated && !lifetime.noStale && past < lifetime.whileRevalidate,
    onError: !lifetime.noStale && past < lifetime.ifError,
    whenUnreachable: !lifetime.noStale,
  };
  return {
    use: 'stale',
    age,
    // What is not fresh has no freshness left, whatever its clock says (RFC 9211 §2.4): a cache in front goes by this.
    ttl: Math.min(ttl, 0),
    reason: invalidated ? 'invalidated' : lifetime.always ? 'no-cache' : 'expired',
    may,
  };
}
