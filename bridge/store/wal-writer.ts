import type { SqlValue } from './database.ts';

/** Where statements are run, in order. */
export interface Statements {
  query(text: string, params: readonly SqlValue[]): Promise<unknown>;
}

/** A commit that is waited for takes all before it along; where there is none, nothing is written. */
const FLUSH = `SELECT pg_logical_emit_message(true, 'wal-writer', '')
  WHERE pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()`;
/** A commit that nobody waited for is on the disk this many milliseconds later. */
export const WAL_WRITER_DELAY_MS = 100;

/**
 * What PostgreSQL's WAL writer does (`wal_writer_delay`), and PGlite, of one process, has nobody for: commits that were not waited for
 * (`synchronous_commit = off`) stay in its memory until someone waits for one, and a killed process would lose them all.
 */
export class WalWriter {
  readonly #statements: Statements;
  readonly #later: (work: () => void) => void;
  #isDue = false;
  #inTransaction = false;

  /** @param later runs `work` after `WAL_WRITER_DELAY_MS`. */
  constructor(statements: Statements, later: (work: () => void) => void) {
    this.#statements = statements;
    this.#later = later;
  }

  /** A statement is about to be run: what is flushed from here on would stand behind it. */
  runs(text: string): void {
    if (text === 'BEGIN') this.#inTransaction = true;
  }

  /** A statement has ended. */
  ran(text: string): void {
    if (text === 'COMMIT' || text === 'ROLLBACK') this.#inTransaction = false;
    if (!this.#isDue && text.includes('synchronous_commit')) this.#rearm();
  }

  #rearm(): void {
    this.#isDue = true;
    this.#later(() => void this.#flush());
  }

  /** Waits for a commit of its own, and so for all before it. Within another's transaction it would wait for nothing, or fail. */
  async #flush(): Promise<void> {
    this.#isDue = false;
    if (this.#inTransaction) return this.#rearm();
    // Where this fails the next statement fails too, and there somebody hears of it.
    await this.#statements.query(FLUSH, []).catch(() => {});
  }
}
