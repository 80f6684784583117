import { setTimeout as sleep } from 'node:timers/promises';
import type { Sql } from '../store/database.ts';

/** A transaction that has written to `purge` and has not ended. */
export interface Writer {
  readonly transaction: string;
  /** Process id at the server; null where it was prepared for two-phase commit. */
  readonly pid: number | null;
}

export interface Settled {
  /** Below and at this number nothing can appear any more. */
  readonly seq: number;
  /** Who is waited for, where that is not all there is. */
  readonly writers: readonly Writer[];
}

/** Pauses between looks: an INSERT takes a few ms. Past them the caller comes again later. */
const PAUSES_MS = [5, 10, 20, 40, 80, 100];

/**
 * The highest sequence number below which nothing can appear any more. Numbers are taken before they are committed: a cursor that did not
 * wait for the writers under way could pass one of them.
 *
 * Who writes to a table holds ROW EXCLUSIVE on it, from before its first number is taken until after its rows can be seen
 * (postgresql.org/docs/current/explicit-locking.html). So a number that is seen is final once those who held that lock when it was
 * seen have ended; who comes later takes higher numbers. Looking at the locks waits for nobody and nobody waits for it: a lock of our own (SHARE) would
 * queue every INSERT behind itself for as long as one forgotten transaction is open, and would again and again break off autovacuum. The
 * snapshot's xmin is no better: a long transaction in whatever database of the server holds it back.
 */
export class Watermark {
  readonly #sql: Sql;
  #candidate: { readonly seq: number; readonly writers: ReadonlySet<string> } | null = null;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @param after what is known already; nothing past it is given back as itself. */
  async upTo(after: number): Promise<Settled> {
    for (let looks = 0; ; looks++) {
      const { seq, writers } = await this.#look();
      if (seq <= after) return { seq: after, writers: [] };
      if (writers.length === 0) return { seq, writers };
      const before = this.#candidate;
      const waitedFor = writers.filter(({ transaction }) => before?.writers.has(transaction));
      if (before === null || waitedFor.length === 0)
        this.#candidate = { seq, writers: new Set(writers.map(({ transaction }) => transaction)) };
      if (before !== null && waitedFor.length === 0 && before.seq > after) return { seq: before.seq, writers: [] };
      const pause = PAUSES_MS[looks];
      if (pause === undefined) return { seq: after, writers: waitedFor };
      await sleep(pause);
    }
  }

  /** In one statement, whose snapshot is older than its look at the locks. `pg_locks` misses no lock that is held all the while. */
  async #look(): Promise<Settled> {
    const rows = await this.#sql.query<{ seq: number | null; transaction: string | null; pid: number | null }>(
      `SELECT highest.seq, pg_locks.virtualtransaction AS transaction, pg_locks.pid
       FROM (SELECT max(seq) AS seq FROM purge) AS highest
       LEFT JOIN pg_locks ON pg_locks.locktype = 'relation' AND pg_locks.relation = 'purge'::regclass
         AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND pg_locks.mode = 'RowExclusiveLock' AND pg_locks.granted`,
    );
    const writers = rows.flatMap(({ transaction, pid }) => (transaction === null ? [] : [{ transaction, pid }]));
    return { seq: rows[0]?.seq ?? 0, writers };
  }
}
