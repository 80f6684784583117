import { InvalidationIndex, type LedgerSnapshot } from '../policy/invalidation.ts';

/** What became of a leased fetch. Colos that waited act on it. */
export type FetchOutcome =
  /** The archive has the response now. */
  | { readonly kind: 'stored' }
  /** The origin confirmed what is stored (its body has this hash); the archive was not written again. */
  | {
      readonly kind: 'unchanged';
      readonly bodyHash: string;
      readonly validatedAt: number;
      /** How old it was then already, seconds. */
      readonly age: number;
      readonly fresh: number;
    }
  /** May not be shared: whoever waits must ask for itself. */
  | { readonly kind: 'unshareable' }
  | { readonly kind: 'failed' };

export interface LeaseReport {
  readonly outcome: FetchOutcome;
  readonly seq: number;
  readonly tags: readonly string[];
}

export type Acquired =
  /** Go and fetch; `seq` is the ledger's number now, to be stored with what comes back. */
  | { readonly state: 'granted'; readonly lease: number; readonly seq: number }
  /** Someone else fetched. */
  | { readonly state: 'done'; readonly report: LeaseReport }
  /** The wait ended before the fetch did. */
  | { readonly state: 'timeout'; readonly seq: number };

interface Lease {
  readonly id: number;
  /** The ledger's number when it was granted. */
  readonly seq: number;
  readonly expires: number;
  readonly waiters: Set<(acquired: Acquired) => void>;
}

interface Recent {
  readonly report: LeaseReport;
  readonly at: number;
  readonly until: number;
}

/** Everything the book may ask of time; handed in. */
export interface LeaseClock {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

/**
 * Could what is being fetched under `seq` be invalid when it comes? Its tags are not known before; taking one for
 * overtaken that is not costs one more fetch.
 */
function mayBeOvertaken(key: string, seq: number, { entries }: LedgerSnapshot): boolean {
  return entries.some((line) => line.seq > seq && (line.kind === 'tag' || key.startsWith(line.value)));
}

const MAX_RECENT = 20_000;
/** Above this many, expired leases are swept at every grant. */
const MAX_LEASES = 5_000;
const UNSHAREABLE_MS = 10_000;

/**
 * Who fetches what right now, world-wide, and what the last fetches brought. In the ledger's memory only: losing it
 * costs a second fetch, never a wrong answer.
 */
export class LeaseBook {
  readonly #leases = new Map<string, Lease>();
  readonly #recent = new Map<string, Recent>();
  readonly #clock: LeaseClock;
  readonly #leaseMs: number;
  #nextId = 1;
  #judge: { readonly snapshot: LedgerSnapshot; readonly index: InvalidationIndex } | undefined;

  constructor(clock: LeaseClock, leaseMs: number) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
  }

  /**
   * Ask to fetch `key`. `since`: when the caller's own copy was stored or validated (0 when it has none); an outcome
   * newer than that, which no invalidation has overtaken, answers at once.
   */
  acquire(key: string, since: number, waitMs: number, snapshot: LedgerSnapshot): Promise<Acquired> | Acquired {
    const recent = this.#usableRecent(key, since, snapshot);
    if (recent) return { state: 'done', report: recent };
    const lease = this.#leases.get(key);
    if (lease === undefined || lease.expires <= this.#clock.now() || mayBeOvertaken(key, lease.seq, snapshot))
      return this.#grant(key, snapshot.seq, lease);
    if (waitMs <= 0) return { state: 'timeout', seq: snapshot.seq };
    return new Promise((resolve) => {
      const settle = (acquired: Acquired): void => {
        lease.waiters.delete(settle);
        cancel();
        resolve(acquired);
      };
      const cancel = this.#clock.after(waitMs, () => settle({ state: 'timeout', seq: snapshot.seq }));
      lease.waiters.add(settle);
    });
  }

  #usableRecent(key: string, since: number, snapshot: LedgerSnapshot): LeaseReport | undefined {
    const recent = this.#recent.get(key);
    if (recent === undefined) return undefined;
    const { report, at, until } = recent;
    if (this.#clock.now() >= until || at <= since) return undefined;
    const overtaken =
      report.seq < snapshot.seq &&
      this.#index(snapshot).verdict({ key, tags: report.tags, seq: report.seq }) !== 'valid';
    return overtaken ? undefined : report;
  }

  /** Thousands of lines are indexed once, not for each who asks. */
  #index(snapshot: LedgerSnapshot): InvalidationIndex {
    if (this.#judge?.snapshot !== snapshot) this.#judge = { snapshot, index: new InvalidationIndex(snapshot) };
    return this.#judge.index;
  }

  #grant(key: string, seq: number, former: Lease | undefined): Acquired {
    const lease: Lease = {
      id: this.#nextId++,
      seq,
      expires: this.#clock.now() + this.#leaseMs,
      waiters: former?.waiters ?? new Set(),
    };
    this.#leases.set(key, lease);
    if (this.#leases.size > MAX_LEASES) this.#dropExpired();
    return { state: 'granted', lease: lease.id, seq };
  }

  /** Holders that died leave leases behind; those nobody waits for go. */
  #dropExpired(): void {
    const now = this.#clock.now();
    for (const [key, { expires, waiters }] of this.#leases)
      if (expires <= now && waiters.size === 0) this.#leases.delete(key);
  }

  /** The holder reports. A report of a lease that was lost meanwhile still informs, but wakes nobody. */
  complete(key: string, leaseId: number, report: LeaseReport, shareMs: number): void {
    const now = this.#clock.now();
    const { kind } = report.outcome;
    const share = kind === 'failed' ? 0 : kind === 'unshareable' ? UNSHAREABLE_MS : shareMs;
    const isNews = report.seq >= (this.#recent.get(key)?.report.seq ?? 0);
    if (isNews) this.#recent.delete(key);
    if (isNews && share > 0) this.#recent.set(key, { report, at: now, until: now + share });
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= MAX_RECENT) break;
      this.#recent.delete(oldest);
    }
    const lease = this.#leases.get(key);
    if (lease?.id !== leaseId) return;
    this.#leases.delete(key);
    for (const settle of [...lease.waiters]) settle({ state: 'done', report });
  }
}
