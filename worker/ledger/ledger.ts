import { DurableObject } from 'cloudflare:workers';
import { type EdgeEnv, readConfig } from '../config.ts';
import { originsOf } from '../origin/origins.ts';
import type { InvalidationMode, LedgerSnapshot } from '../policy/invalidation.ts';
import type { HealthHistory, Sighting } from '../policy/uptime.ts';
import { consoleReport } from '../report.ts';
import { HealthBook } from './health-book.ts';
import { type Acquired, LeaseBook, type LeaseReport } from './leases.ts';
import { COMPACT_EVERY_MS, type InvalidationRequest, LineBook } from './line-book.ts';
import { probe } from './probe.ts';

export type { InvalidationRequest };

/** What a written invalidation comes to. */
export interface Written {
  /** The number it has; the first one where the same id was written before. */
  readonly seq: number;
  readonly snapshot: LedgerSnapshot;
}

/** The ledger's number, and what was seen of home from outside. */
export interface LedgerHealth {
  readonly seq: number;
  readonly history: HealthHistory;
}

const LEASE_MS = 30_000;

/**
 * The one writer of truth about staleness: a sequence-numbered list of invalidations in SQLite, and, in memory only,
 * who is fetching what. One object serves the whole world; isolates keep snapshots of it.
 */
export class Ledger extends DurableObject {
  readonly #lines: LineBook;
  readonly #leases: LeaseBook;
  readonly #health: HealthBook;
  readonly #probe: { readonly everyMs: number; readonly run: () => Promise<readonly Sighting[]> } | undefined;
  #armed = false;

  constructor(state: DurableObjectState, env: unknown) {
    super(state, env as Cloudflare.Env);
    this.#lines = new LineBook(state.storage);
    const clock = {
      now: () => Date.now(),
      after: (ms: number, run: () => void) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    };
    this.#leases = new LeaseBook(clock, LEASE_MS);
    this.#health = new HealthBook(state.storage.sql);
    this.#probe = this.#prober(env as EdgeEnv);
  }

  /** The snapshot, or undefined when the caller's is the newest. */
  async read(known: number, seen?: readonly Sighting[]): Promise<LedgerSnapshot | undefined> {
    this.#note(seen);
    await this.#arm();
    const { snapshot } = this.#lines;
    return known === snapshot.seq ? undefined : snapshot;
  }

  /** Write invalidations. `id` makes it idempotent: the same request again answers with its first number. */
  async invalidate(requests: readonly InvalidationRequest[], mode: InvalidationMode, id?: string): Promise<Written> {
    const seq = this.#lines.write(requests, mode, id, Date.now());
    await this.#arm();
    return { seq, snapshot: this.#lines.snapshot };
  }

  async acquire(key: string, since: number, waitMs: number): Promise<Acquired> {
    return this.#leases.acquire(key, since, Math.min(waitMs, LEASE_MS), this.#lines.snapshot);
  }

  /** Ends a lease. Answers with the snapshot, so that the holder learns of a take-down that overtook its write, unless `known` is the newest. */
  async complete(
    key: string,
    lease: number,
    report: LeaseReport,
    shareMs: number,
    seen?: readonly Sighting[],
    known?: number,
  ): Promise<LedgerSnapshot | undefined> {
    this.#note(seen);
    this.#leases.complete(key, lease, report, shareMs);
    const { snapshot } = this.#lines;
    return known === snapshot.seq ? undefined : snapshot;
  }

  async health(seen?: readonly Sighting[]): Promise<LedgerHealth> {
    this.#note(seen);
    return { seq: this.#lines.snapshot.seq, history: this.#health.history() };
  }

  #note(seen: readonly Sighting[] | undefined): void {
    for (const sighting of seen ?? []) this.#health.note(sighting, Date.now());
  }

  /** The next alarm is set from the first call on, once and for all: each one sets the next. */
  async #arm(): Promise<void> {
    if (this.#armed) return;
    this.#armed = true;
    const { storage } = this.ctx;
    if ((await storage.getAlarm()) === null) await storage.setAlarm(Date.now() + this.#alarmEveryMs);
  }

  get #alarmEveryMs(): number {
    return Math.min(COMPACT_EVERY_MS, this.#probe?.everyMs ?? COMPACT_EVERY_MS);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    await this.ctx.storage.setAlarm(now + this.#alarmEveryMs);
    if (this.#lines.compact(now)) this.#health.compact(now);
    this.#note(await this.#probe?.run());
  }

  /** Looks at home where no reader's request has lately; nothing where it is not told of a home. */
  #prober(env: EdgeEnv): { everyMs: number; run: () => Promise<readonly Sighting[]> } | undefined {
    const read = readConfig(env as unknown as Record<string, unknown>);
    if ('error' in read || read.config.probeMs === 0) return undefined;
    const everyMs = read.config.probeMs;
    const clock = (): number => Date.now();
    const seen: Sighting[] = [];
    const report = consoleReport(clock, (line) => console.log(line));
    const origins = originsOf(env, read.config, { clock, report, note: (sighting) => void seen.push(sighting) });
    const run = async (): Promise<readonly Sighting[]> => {
      const since = clock() - everyMs;
      const due = [...origins].filter(([name]) => (this.#health.lastSeen(name) ?? 0) <= since);
      const { upstreams } = read.config.site;
      await Promise.all(due.map(([name, origin]) => probe(origin, upstreams[name])));
      return seen.splice(0);
    };
    return { everyMs, run };
  }
}
