import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, type Sighting } from '../policy/uptime.ts';
import { HealthBook, KEEP_DAYS, KEEP_HOURS } from './health-book.ts';

/** SQLite behind the little of `SqlStorage` that the book uses; counts the statements that write. */
function storage() {
  const database = new DatabaseSync(':memory:');
  const seen = { writes: 0 };
  const exec = (sql: string, ...values: SQLInputValue[]) => {
    if (sql.startsWith('INSERT')) seen.writes += 1;
    const rows = database.prepare(sql).all(...values);
    return { toArray: () => rows };
  };
  return { seen, sql: { exec } as unknown as ConstructorParameters<typeof HealthBook>[0] };
}

const up = (at: number, given: Partial<Sighting> = {}): Sighting => ({
  upstream: 'blog',
  at,
  up: 1,
  down: 0,
  ms: 20,
  said: '200',
  ...given,
});
const down = (at: number, said = 'timeout'): Sighting => up(at, { up: 0, down: 1, ms: 0, said });
const TODAY = Math.floor(NOW / DAY_MS) * DAY_MS;

test('a minute is one verdict, however many tell; hours and days add them up', () => {
  const { sql, seen } = storage();
  const book = new HealthBook(sql);
  for (let second = 0; second < 60; second += 1) book.note(up(NOW + second * 1000), NOW + second * 1000);
  expect(seen.writes).toBe(2);
  for (const minute of [1, 2]) book.note(down(NOW + minute * MINUTE_MS), NOW + minute * MINUTE_MS);
  book.note(up(NOW + 3 * MINUTE_MS, { ms: 40 }), NOW + 3 * MINUTE_MS);
  const span = { up: 2, down: 2, ms: 30, failure: 'timeout' };
  const last = up(NOW + 3 * MINUTE_MS, { ms: 40 });
  expect(book.history()).toEqual({
    blog: { hours: [{ at: NOW, ...span }], days: [{ at: TODAY, ...span }], last },
  });
});

test('a verdict that turns within its minute is turned in the books', () => {
  const { sql } = storage();
  const book = new HealthBook(sql);
  const hour = () => book.history().blog?.hours[0];
  book.note(up(NOW), NOW);
  book.note(up(NOW + 1, { ms: 400 }), NOW + 1);
  expect(hour()).toEqual({ at: NOW, up: 1, down: 0, ms: 20 });
  for (const later of [2, 3]) book.note(down(NOW + later, '530'), NOW + later);
  expect(hour()).toEqual({ at: NOW, up: 0, down: 1, ms: 0, failure: '530' });
  for (const later of [4, 5]) book.note(up(NOW + later), NOW + later);
  expect(hour()).toMatchObject({ up: 1, down: 0 });
});

test('what comes late, or from a clock ahead, is not counted', () => {
  const { sql } = storage();
  const book = new HealthBook(sql);
  book.note(down(NOW - 11 * MINUTE_MS), NOW);
  book.note(down(NOW + 2 * MINUTE_MS), NOW);
  expect(book.history()).toEqual({});
  book.note(up(NOW), NOW);
  book.note(down(NOW - MINUTE_MS), NOW);
  expect(book.history().blog?.hours).toEqual([{ at: NOW, up: 1, down: 0, ms: 20 }]);
});

test('the past is bounded, and a new object reads what the last one wrote', () => {
  const { sql } = storage();
  const book = new HealthBook(sql);
  for (let hours = 24 * 120; hours >= 0; hours -= 1) {
    const at = NOW - hours * HOUR_MS;
    book.note(up(at), at);
    if (hours % 24 === 0) book.compact(at);
  }
  const { blog } = new HealthBook(sql).history();
  expect([blog?.hours.length, blog?.days.length, blog?.last]).toEqual([KEEP_HOURS, KEEP_DAYS, undefined]);
  expect(blog?.hours.at(-1)?.at).toBe(NOW);
});
