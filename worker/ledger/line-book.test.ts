import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { BOUNDS } from '../policy/compaction.ts';
import { InvalidationIndex } from '../policy/invalidation.ts';
import { COMPACT_EVERY_MS, LineBook, type LineStorage } from './line-book.ts';

/** SQLite behind the little of a Durable Object's storage that the book uses; may refuse a statement. */
function storage() {
  const database = new DatabaseSync(':memory:');
  const seen = { reads: 0, refuse: '' };
  const exec = (sql: string, ...values: SQLInputValue[]) => {
    if (seen.refuse !== '' && sql.includes(seen.refuse)) throw new Error('disk full');
    if (sql.startsWith('SELECT') && sql.includes('invalidations')) seen.reads += 1;
    if (sql.includes('CREATE')) database.exec(sql);
    const rows = sql.includes('CREATE') ? [] : database.prepare(sql).all(...values);
    return { toArray: () => rows };
  };
  const transactionSync = <T>(work: () => T): T => {
    database.exec('BEGIN');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  };
  return { seen, storage: { sql: { exec }, transactionSync } as unknown as LineStorage };
}

const url = (value: string) => ({ kind: 'url' as const, value });
const verdict = (book: LineBook, key: string, seq = 0) =>
  new InvalidationIndex(book.snapshot).verdict({ key, tags: [], seq });

test('an object that starts anew reads what the last one wrote', () => {
  const { storage: one } = storage();
  const book = new LineBook(one);
  expect(book.write([url('blog:/a'), url('blog:/b')], 'delete', undefined, NOW)).toBe(1);
  expect(book.write([{ kind: 'prefix', value: 'blog:/c/' }], 'invalidate', undefined, NOW)).toBe(2);
  for (let n = 0; n < BOUNDS.reader.lines + 50; n += 1) book.write([url(`blog:/q?${n}`)], 'reader', undefined, NOW);
  expect(book.snapshot.entries.length).toBe(3 + BOUNDS.reader.lines);
  const next = new LineBook(one);
  expect(next.snapshot).toEqual(book.snapshot);
  // The first of the readers' lines are in their slots.
  expect([verdict(next, 'blog:/a'), verdict(next, 'blog:/c/d', 1), verdict(next, 'blog:/q?0')]).toEqual([
    'deleted',
    'invalidated',
    'invalidated',
  ]);
});

test('a purge sent again writes nothing, for a day', () => {
  const { storage: one } = storage();
  const book = new LineBook(one);
  expect([1, 2].map(() => book.write([url('blog:/a')], 'invalidate', 'id', NOW))).toEqual([1, 1]);
  expect(new LineBook(one).write([], 'invalidate', 'id', NOW)).toBe(1);
  const dayAfter = NOW + 24 * COMPACT_EVERY_MS + 1;
  expect([book.compact(dayAfter), book.compact(dayAfter + 1)]).toEqual([true, false]);
  expect(book.write([], 'invalidate', 'id', dayAfter)).toBe(2);
  // The line went with the day; what it said did not.
  expect([book.snapshot.entries, book.snapshot.floor, verdict(book, 'blog:/a')]).toEqual([[], 0, 'invalidated']);
});

test('what could not be written is not said, and lines are read once however many are written', () => {
  const { storage: one, seen } = storage();
  const book = new LineBook(one);
  book.write([url('blog:/a')], 'invalidate', undefined, NOW);
  const before = book.snapshot;
  seen.refuse = 'INTO requests';
  expect(() => book.write([url('blog:/b')], 'invalidate', 'id', NOW)).toThrow('disk full');
  expect(book.snapshot).toBe(before);
  seen.refuse = '';
  expect([book.write([url('blog:/b')], 'invalidate', 'id', NOW), seen.reads]).toEqual([2, 1]);
  expect(new LineBook(one).snapshot).toEqual(book.snapshot);
});
