import { DurableObject } from 'cloudflare:workers';
import { type EdgeEnv, readConfig } from '../config.ts';
import { originsOf } from '../origin/origins.ts';
import type { Invalidation, InvalidationMode, LedgerSnapshot } from '../policy/invalidation.ts';
import type { HealthHistory, Sighting } from '../policy/uptime.ts';
import { consoleReport } from '../report.ts';
import { HealthBook } from './health-book.ts';
import { type Acquired, LeaseBook, type LeaseReport } from './leases.ts';
import { probe } from './probe.ts';

/** A line to write: what was stored before now and matches is invalid from now on. */
export interface InvalidationRequest {
  readonly kind: Invalidation['kind'];
  readonly value: string;
}

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

const KEEP_INVALIDATIONS = 500;
const KEEP_INVALIDATIONS_MS = 24 * 3_600_000;
const KEEP_DELETIONS = 5_000;
const KEEP_DELETIONS_MS = 30 * 24 * 3_600_000;
const KEEP_REQUESTS_MS = 24 * 3_600_000;
const COMPACT_EVERY_MS = 3_600_000;
const LEASE_MS = 30_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS invalidations (
  seq INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, mode TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (kind, value, mode)
);
CREATE INDEX IF NOT EXISTS invalidations_by_seq ON invalidations (seq);
CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

/**
 * The one writer of truth about staleness: a sequence-numbered list of invalidations in SQLite, and, in memory only,
 * who is fetching what. One object serves the whole world; isolates keep snapshots of it.
 */
export class Ledger extends DurableObject {
  readonly #sql: SqlStorage;
  readonly #leases: LeaseBook;
  readonly #health: HealthBook;
  readonly #probe: { readonly everyMs: number; readonly run: () => Promise<readonly Sighting[]> } | undefined;
  #snapshot: LedgerSnapshot;
  #armed = false;

  constructor(state: DurableObjectState, env: unknown) {
    super(state, env as Cloudflare.Env);
    this.#sql = state.storage.sql;
    this.#sql.exec(SCHEMA);
    const clock = {
      now: () => Date.now(),
      after: (ms: number, run: () => void) => {
        const timer = setTimeout(run, ms);
        return () => clearTimeout(timer);
      },
    };
    this.#leases = new LeaseBook(clock, LEASE_MS);
    this.#health = new HealthBook(this.#sql);
    this.#snapshot = this.#read();
    this.#probe = this.#prober(env as EdgeEnv);
  }

  /** The snapshot, or undefined when the caller's is the newest. */
  async read(known: number, seen?: readonly Sighting[]): Promise<LedgerSnapshot | undefined> {
    this.#note(seen);
    await this.#arm();
    return known === this.#snapshot.seq ? undefined : this.#snapshot;
  }

  /** Write invalidations. `id` makes it idempotent: the same request again answers with its first number. */
  async invalidate(requests: readonly InvalidationRequest[], mode: InvalidationMode, id?: string): Promise<Written> {
    const now = Date.now();
    const written = this.ctx.storage.transactionSync(() => {
      const known = id === undefined ? undefined : this.#requested(id);
      if (known !== undefined) return known;
      const seq = this.#counter('seq') + 1;
      this.#setCounter('seq', seq);
      for (const { kind, value } of requests) {
        this.#sql.exec(
          'INSERT OR REPLACE INTO invalidations (seq, kind, value, mode, at) VALUES (?, ?, ?, ?, ?)',
          seq,
          kind,
          value,
          mode,
          now,
        );
      }
      if (id !== undefined) this.#sql.exec('INSERT INTO requests (id, seq, at) VALUES (?, ?, ?)', id, seq, now);
      return seq;
    });
    if (this.#count('invalidate') > KEEP_INVALIDATIONS * 1.2) this.#compact(now);
    this.#snapshot = this.#read();
    await this.#arm();
    return { seq: written, snapshot: this.#snapshot };
  }

  #requested(id: string): number | undefined {
    return this.#sql.exec<{ seq: number }>('SELECT seq FROM requests WHERE id = ?', id).toArray()[0]?.seq;
  }

  async acquire(key: string, since: number, waitMs: number): Promise<Acquired> {
    return this.#leases.acquire(key, since, Math.min(waitMs, LEASE_MS), this.#snapshot);
  }

  /** Ends a lease. Answers with the snapshot, so that the holder learns of a take-down that overtook its write. */
  async complete(
    key: string,
    lease: number,
    report: LeaseReport,
    shareMs: number,
    seen?: readonly Sighting[],
  ): Promise<LedgerSnapshot> {
    this.#note(seen);
    this.#leases.complete(key, lease, report, shareMs);
    return this.#snapshot;
  }

  async health(seen?: readonly Sighting[]): Promise<LedgerHealth> {
    this.#note(seen);
    return { seq: this.#snapshot.seq, history: this.#health.history() };
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
    if (now - this.#counter('compacted') >= COMPACT_EVERY_MS) {
      this.#setCounter('compacted', now);
      this.#compact(now);
      this.#snapshot = this.#read();
    }
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

  /** Old lines go; the floor rises to the last of them, so that responses older than it are validated once. */
  #compact(now: number): void {
    const limits = [
      { mode: 'invalidate', keep: KEEP_INVALIDATIONS, ms: KEEP_INVALIDATIONS_MS },
      { mode: 'delete', keep: KEEP_DELETIONS, ms: KEEP_DELETIONS_MS },
    ];
    this.ctx.storage.transactionSync(() => {
      for (const { mode, keep, ms } of limits) {
        const newest = 'SELECT seq FROM invalidations WHERE mode = ? ORDER BY seq DESC LIMIT 1 OFFSET ?';
        const overflow = this.#sql.exec<{ seq: number }>(newest, mode, keep).toArray()[0]?.seq ?? 0;
        const expired =
          this.#sql
            .exec<{ seq: number | null }>(
              'SELECT MAX(seq) AS seq FROM invalidations WHERE mode = ? AND at < ?',
              mode,
              now - ms,
            )
            .toArray()[0]?.seq ?? 0;
        const floor = Math.max(overflow, expired);
        if (floor === 0) continue;
        this.#sql.exec('DELETE FROM invalidations WHERE mode = ? AND seq <= ?', mode, floor);
        this.#setCounter('floor', Math.max(floor, this.#counter('floor')));
      }
      this.#sql.exec('DELETE FROM requests WHERE at < ?', now - KEEP_REQUESTS_MS);
      this.#health.compact(now);
    });
  }

  #read(): LedgerSnapshot {
    const rows = this.#sql.exec<{ seq: number; kind: string; value: string; mode: string }>(
      'SELECT seq, kind, value, mode FROM invalidations ORDER BY seq',
    );
    return {
      seq: this.#counter('seq'),
      floor: this.#counter('floor'),
      entries: rows.toArray() as unknown as Invalidation[],
    };
  }

  #count(mode: InvalidationMode): number {
    return this.#sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM invalidations WHERE mode = ?', mode).one().n;
  }

  #counter(name: string): number {
    return (
      this.#sql.exec<{ value: number }>('SELECT value FROM counters WHERE name = ?', name).toArray()[0]?.value ?? 0
    );
  }

  #setCounter(name: string, value: number): void {
    this.#sql.exec('INSERT OR REPLACE INTO counters (name, value) VALUES (?, ?)', name, value);
  }
}
