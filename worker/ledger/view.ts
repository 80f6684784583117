import {
  EMPTY_SNAPSHOT,
  InvalidationIndex,
  type InvalidationMode,
  type LedgerSnapshot,
} from '../policy/invalidation.ts';
import type { Acquired, LeaseReport } from './leases.ts';
import type { InvalidationRequest, LedgerHealth, Written } from './ledger.ts';

/** The ledger's remote interface, as the edge uses it. */
export interface LedgerRemote {
  read(known: number): Promise<LedgerSnapshot | undefined>;
  invalidate(requests: readonly InvalidationRequest[], mode: InvalidationMode, id?: string): Promise<Written>;
  acquire(key: string, since: number, waitMs: number): Promise<Acquired>;
  complete(key: string, lease: number, report: LeaseReport, shareMs: number): Promise<LedgerSnapshot>;
  health(): Promise<LedgerHealth>;
}

/** The snapshot this data centre shares: one isolate asks the ledger, the others read what it left. */
export interface SharedSnapshot {
  get(): Promise<{ snapshot: LedgerSnapshot; asOf: number } | undefined>;
  put(snapshot: LedgerSnapshot, asOf: number): Promise<void>;
}

export interface LedgerTiming {
  /** Ask the ledger again, in the background, after this long. */
  readonly refreshMs: number;
  /** Never judge by a snapshot older than this. */
  readonly trustMs: number;
  /** Look at the data centre's shared snapshot this often: after a purge is acknowledged no isolate may lag longer. */
  readonly shareMs: number;
  readonly deadlineMs: number;
}

/** An older put that lands late is rare; this many in a row are a fault. */
const SETTLE_ROUNDS = 4;
const FAILURE_PAUSE_MS = 1_000;
/** A refresh that has not ended by then is lost. */
const LOST_MS = 10_000;
/** For so long after a failure nobody waits for the ledger: it is asked behind the requests. */
const FAILING_MS = 10_000;

/**
 * What one isolate knows of the ledger. Reading it costs nothing while it is young; a due refresh runs behind the
 * request; only a snapshot past its trust makes a request wait, beside its tier look-up.
 */
export class LedgerView {
  index = new InvalidationIndex(EMPTY_SNAPSHOT);
  #snapshot: LedgerSnapshot = EMPTY_SNAPSHOT;
  #asOf = 0;
  #sharedAt = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #refreshing: { readonly work: Promise<void>; readonly since: number } | undefined;
  readonly #remote: LedgerRemote;
  readonly #shared: SharedSnapshot;
  readonly #timing: LedgerTiming;
  readonly #onError: (error: unknown) => void;

  constructor(remote: LedgerRemote, shared: SharedSnapshot, timing: LedgerTiming, onError: (error: unknown) => void) {
    this.#remote = remote;
    this.#shared = shared;
    this.#timing = timing;
    this.#onError = onError;
  }

  get asOf(): number {
    return this.#asOf;
  }

  /** May the index be used now without any work at all? */
  isYoung(now: number): boolean {
    return now - this.#asOf < this.#timing.refreshMs && now - this.#sharedAt < this.#timing.shareMs;
  }

  /** Did the ledger fail a moment ago, so that waiting for it would be in vain? */
  isFailing(now: number): boolean {
    return now < this.#failedAt + FAILING_MS;
  }

  /** Notes that the ledger did not answer, whatever it was asked. */
  failed(now: number): void {
    this.#failedAt = Math.max(this.#failedAt, now);
  }

  /** undefined when the index may be used now; else a promise to wait for first. `keep` holds a background refresh alive. */
  ready(now: number, keep: (work: Promise<unknown>) => void): Promise<void> | undefined {
    const { refreshMs, trustMs, shareMs } = this.#timing;
    const age = now - this.#asOf;
    const sinceShared = now - this.#sharedAt;
    if (age < refreshMs && sinceShared < shareMs) return undefined;
    if (now < this.#failedAt + FAILURE_PAUSE_MS) return undefined;
    const work = this.#refresh(now, age >= refreshMs);
    // Kept in any case: others join it, and its own reader may leave. Waited for with a deadline of one's own.
    keep(work);
    return (age >= trustMs || sinceShared >= shareMs) && !this.isFailing(now)
      ? within(work, this.#timing.deadlineMs)
      : undefined;
  }

  /**
   * This isolate knows at once; the data centre as soon as this resolves and `shareMs` have passed, unless an older
   * put overtakes this one (see `settle`). `asOf`: when the ledger was asked, before the call.
   */
  async adopt(snapshot: LedgerSnapshot, asOf: number): Promise<void> {
    this.#take(snapshot, asOf);
    try {
      const standing = await this.#shared.get();
      if (standing !== undefined) this.#take(standing.snapshot, standing.asOf);
      const isOlder =
        standing === undefined || standing.snapshot.seq < this.#snapshot.seq || standing.asOf < this.#asOf;
      if (isOlder) await this.#shared.put(this.#snapshot, this.#asOf);
    } catch (error) {
      this.#onError(error);
    }
  }

  /** A snapshot that came along with another answer: worth sharing only where it is news. */
  async heard(snapshot: LedgerSnapshot, asOf: number): Promise<void> {
    if (snapshot.seq > this.#snapshot.seq) await this.adopt(snapshot, asOf);
    else this.#take(snapshot, asOf);
  }

  /**
   * Resolves once no isolate of the data centre judges by less than the adopted `seq`: it was shared for `ms`, and
   * no put that was under way has taken its place.
   * @throws Error when older snapshots keep doing so.
   */
  async settle(seq: number, ms: number): Promise<void> {
    for (let round = 0; round < SETTLE_ROUNDS; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      try {
        // None at all is as good: who finds none asks the ledger itself.
        const standing = await this.#shared.get();
        if (standing === undefined || standing.snapshot.seq >= seq) return;
      } catch (error) {
        return this.#onError(error);
      }
      await this.adopt(this.#snapshot, this.#asOf);
    }
    throw new Error(`invalidation ${seq} does not reach the data centre's shared snapshot`);
  }

  #refresh(now: number, due: boolean): Promise<void> {
    const running = this.#refreshing;
    // Another request's work ends with that request, and is then never heard of again.
    if (running !== undefined && now - running.since < LOST_MS) return within(running.work, this.#timing.deadlineMs);
    const work: Promise<void> = this.#load(now, due).finally(() => {
      if (this.#refreshing?.work === work) this.#refreshing = undefined;
    });
    this.#refreshing = { work, since: now };
    return work;
  }

  async #load(now: number, due: boolean): Promise<void> {
    try {
      const shared = await this.#shared.get();
      this.#sharedAt = now;
      if (shared !== undefined) this.#take(shared.snapshot, shared.asOf);
      // No snapshot where there was one: a zone purge has swept it away, and asks for a new one.
      const swept = shared === undefined;
      if (!swept && (!due || now - this.#asOf < this.#timing.refreshMs)) return;
      const snapshot = (await this.#remote.read(this.#snapshot.seq)) ?? this.#snapshot;
      this.#failedAt = Number.NEGATIVE_INFINITY;
      await this.adopt(snapshot, now);
    } catch (error) {
      // Without the ledger the last snapshot is the best there is: readers are served, and it is asked again soon.
      this.failed(now);
      this.#onError(error);
    }
  }

  #take(snapshot: LedgerSnapshot, asOf: number): void {
    this.#asOf = Math.max(this.#asOf, asOf);
    this.#sharedAt = Math.max(this.#sharedAt, asOf);
    if (
      snapshot.seq < this.#snapshot.seq ||
      (snapshot.seq === this.#snapshot.seq && snapshot.floor === this.#snapshot.floor)
    )
      return;
    this.#snapshot = snapshot;
    this.index = new InvalidationIndex(snapshot);
  }
}

/**
 * The work's own outcome, if it comes in time.
 * @throws Error when `ms` are over first.
 */
export async function timely<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the work does or the time is over, whichever is first; never rejects. */
export function within(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(done, done);
  });
}
