import { type Book, bookOf, type Line, written } from '../policy/compaction.ts';
import type { Invalidation, InvalidationMode, LedgerSnapshot } from '../policy/invalidation.ts';

/** A line to write: what was stored before now and matches is invalid from now on. */
export interface InvalidationRequest {
  readonly kind: Invalidation['kind'];
  readonly value: string;
}

/** The part of a Durable Object's storage that is used. */
export type LineStorage = Pick<DurableObjectStorage, 'sql' | 'transactionSync'>;

export const COMPACT_EVERY_MS = 3_600_000;
const KEEP_REQUESTS_MS = 24 * 3_600_000;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS invalidations (
  seq INTEGER NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL, mode TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (kind, value, mode)
);
CREATE TABLE IF NOT EXISTS requests (id TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS slots (slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
`;

/** The ledger's lines in SQLite. They are read once, when the object starts: it is their only writer. */
export class LineBook {
  snapshot: LedgerSnapshot;
  readonly #storage: LineStorage;
  #book: Book;

  constructor(storage: LineStorage) {
    this.#storage = storage;
    storage.sql.exec(SCHEMA);
    const lines = this.#rows<Line & Record<string, SqlStorageValue>>('SELECT * FROM invalidations ORDER BY seq');
    const slots = this.#rows<{ slot: number; seq: number }>('SELECT * FROM slots');
    this.#book = bookOf(lines, slots, this.#counter('floor'));
    this.snapshot = snapshotOf(this.#book, this.#counter('seq'));
  }

  /** Writes lines under the next number. The same `id` again writes nothing. @returns the number they have. */
  write(requests: readonly InvalidationRequest[], mode: InvalidationMode, id: string | undefined, now: number): number {
    const known =
      id === undefined ? undefined : this.#rows<{ seq: number }>('SELECT seq FROM requests WHERE id = ?', id)[0]?.seq;
    if (known !== undefined) return known;
    const seq = this.snapshot.seq + 1;
    const lines = requests.map(({ kind, value }) => ({ seq, kind, value, mode, at: now }));
    this.#save(lines, seq, now, () => {
      if (id !== undefined) this.#exec('INSERT INTO requests (id, seq, at) VALUES (?, ?, ?)', id, seq, now);
    });
    return seq;
  }

  /** Folds what is too old, once an hour. @returns whether it was due. */
  compact(now: number): boolean {
    if (now - this.#counter('compacted') < COMPACT_EVERY_MS) return false;
    this.#save([], this.snapshot.seq, now, () => {
      this.#setCounter('compacted', now);
      this.#exec('DELETE FROM requests WHERE at < ?', now - KEEP_REQUESTS_MS);
    });
    return true;
  }

  #save(lines: readonly Line[], seq: number, now: number, besides: () => void): void {
    const { book, folded } = written(this.#book, lines, now);
    this.#storage.transactionSync(() => {
      this.#setCounter('seq', seq);
      for (const { kind, value, mode, at } of lines)
        this.#exec('INSERT OR REPLACE INTO invalidations VALUES (?, ?, ?, ?, ?)', seq, kind, value, mode, at);
      for (const { kind, value, mode } of folded)
        this.#exec('DELETE FROM invalidations WHERE kind = ? AND value = ? AND mode = ?', kind, value, mode);
      for (const [slot, newest] of book.slots.entries())
        if ((this.#book.slots[slot] ?? 0) !== newest)
          this.#exec('INSERT OR REPLACE INTO slots VALUES (?, ?)', slot, newest);
      if (book.floor !== this.#book.floor) this.#setCounter('floor', book.floor);
      besides();
    });
    this.#book = book;
    this.snapshot = snapshotOf(book, seq);
  }

  #exec(sql: string, ...values: SqlStorageValue[]): void {
    this.#storage.sql.exec(sql, ...values);
  }

  #rows<T extends Record<string, SqlStorageValue>>(sql: string, ...values: SqlStorageValue[]): readonly T[] {
    return this.#storage.sql.exec<T>(sql, ...values).toArray();
  }

  #counter(name: string): number {
    return this.#rows<{ value: number }>('SELECT value FROM counters WHERE name = ?', name)[0]?.value ?? 0;
  }

  #setCounter(name: string, value: number): void {
    this.#exec('INSERT OR REPLACE INTO counters VALUES (?, ?)', name, value);
  }
}

function snapshotOf({ lines, slots, floor }: Book, seq: number): LedgerSnapshot {
  const entries = Array.from(lines.values(), ({ at: _, ...entry }) => entry);
  return { seq, floor, entries, slots };
}
