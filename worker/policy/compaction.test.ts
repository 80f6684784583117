import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { BOUNDS, type Book, bookOf, type Line, written } from './compaction.ts';
import { type Invalidation, InvalidationIndex, SLOTS, slotOf } from './invalidation.ts';

const HOUR_MS = 3_600_000;
const line = (seq: number, kind: Line['kind'], value: string, mode: Line['mode'] = 'invalidate', at = NOW): Line => ({
  seq,
  kind,
  value,
  mode,
  at,
});
const urls = (seq: number, count: number, mode: Line['mode'] = 'invalidate'): Line[] =>
  Array.from({ length: count }, (_, n) => line(seq, 'url', `blog:/changed/${seq}/${n}`, mode));
const judge = ({ lines, slots, floor }: Book, stored: { key: string; tags?: string[]; seq: number }) =>
  new InvalidationIndex({ seq: 1_000_000, floor, slots, entries: [...lines.values()] }).verdict({
    tags: [],
    ...stored,
  });
const bookAfter = (writes: readonly (readonly Line[])[]): Book =>
  writes.reduce((book, lines) => written(book, lines, NOW).book, bookOf());

const PAGES = Array.from({ length: 50 }, (_, n) => ({ key: `blog:/same/${n}`, tags: [`post:${n}`, 'list'], seq: 0 }));

test.each<[string, Line[]]>([
  ['tags', Array.from({ length: 5_000 }, (_, n) => line(1, 'tag', `other:${n}`))],
  ['URLs', urls(1, 5_000)],
  ['take-downs', urls(1, 5_000, 'delete')],
  ['more than the bound, in one purge', urls(1, 6_000)],
  ['prefixes', Array.from({ length: 2_000 }, (_, n) => line(1, 'prefix', `blog:/changed/${n}/`))],
])('one purge of very many other items touches no page: %s', (_, purge) => {
  const book = bookAfter([purge]);
  expect(book.lines.size).toBe(purge.length);
  for (const page of PAGES) expect(judge(book, page)).toBe('valid');
});

test('property: a purge of no more items than the bound, none of which names the page, does not touch it', () => {
  const kind = fc.constantFrom('tag' as const, 'url' as const);
  const item = fc.record({ kind, value: fc.string({ maxLength: 12 }), mode: fc.constantFrom('invalidate', 'delete') });
  const purges = fc.array(fc.array(item as fc.Arbitrary<Pick<Line, 'kind' | 'value' | 'mode'>>), { maxLength: 8 });
  fc.assert(
    fc.property(purges, fc.integer({ min: 0, max: 4 }), (writes, scale) => {
      // No value holds a colon and a slash where the pages' own do.
      const lines = writes.map((items, n) =>
        items.flatMap((one) =>
          Array.from({ length: 10 ** scale / 10 + 1 }, (_, copy) => ({
            ...one,
            value: `${one.value}~${copy}`,
            seq: n + 1,
            at: NOW,
          })),
        ),
      );
      fc.pre(lines.flat().length <= BOUNDS.invalidate.lines);
      const book = bookAfter(lines);
      for (const page of PAGES.slice(0, 5)) expect(judge(book, page)).toBe('valid');
    }),
    { numRuns: 60 },
  );
});

test('property: whatever goes, no page a line names is ever valid again', () => {
  const bounds = {
    invalidate: { lines: 3, chars: 40, ms: HOUR_MS },
    reader: { lines: 2, chars: 20, ms: HOUR_MS },
    delete: { lines: 3, chars: 40, ms: 3 * HOUR_MS },
    wide: { lines: 1, chars: 20, ms: 3 * HOUR_MS },
  };
  const mode = fc.constantFrom<Line['mode']>('invalidate', 'delete', 'reader');
  const key = fc.stringMatching(/^r:\/[ab/]{0,3}(#h=x)?$/);
  const item = fc.oneof(
    fc.record({ kind: fc.constant('tag' as const), value: fc.constantFrom('t', 'u', 'v'), mode }),
    fc.record({ kind: fc.constant('url' as const), value: key, mode }),
    fc.record({ kind: fc.constant('prefix' as const), value: key, mode }),
    fc.record({ kind: fc.constant('everything' as const), value: fc.constant(''), mode }),
  );
  const step = fc.record({ items: fc.array(item, { maxLength: 4 }), passes: fc.integer({ max: 2 * HOUR_MS, min: 0 }) });
  const stored = fc.record({ key, tags: fc.subarray(['t', 'u', 'v']), seq: fc.nat(10) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), fc.array(stored, { minLength: 1 }), (steps, pages) => {
      let book = bookOf();
      let now = NOW;
      const all: Invalidation[] = [];
      for (const [n, { items, passes }] of steps.entries()) {
        now += passes;
        const lines = items.map((one) => ({ ...one, seq: n + 1, at: now }));
        all.push(...lines);
        ({ book } = written(book, lines, now, bounds));
      }
      const everything = new InvalidationIndex({ seq: 99, floor: 0, entries: all });
      for (const page of pages) if (everything.verdict(page) !== 'valid') expect(judge(book, page)).not.toBe('valid');
    }),
    { numRuns: 300 },
  );
});

describe('what readers cause', () => {
  const flood = (count: number): Line[][] =>
    Array.from({ length: count }, (_, n) => [line(n + 2, 'url', `blog:/comment?x=${n}`, 'reader')]);

  test('pushes out no line of the site’s, and raises no floor', () => {
    const purge = urls(1, 100);
    const book = bookAfter([purge, ...flood(1_500)]);
    expect(book.floor).toBe(0);
    expect(purge.filter(({ value }) => judge(book, { key: value, seq: 0 }) === 'valid')).toEqual([]);
    expect(book.lines.size).toBe(100 + BOUNDS.reader.lines);
  });

  test('touches no other page while it fits, and beyond it at most as many as fall into the same slots', () => {
    const touched = (count: number): number => {
      const book = bookAfter(flood(count));
      return Array.from({ length: 1_000 }, (_, n) => judge(book, { key: `blog:/p/${n}`, seq: 0 })).filter(
        (verdict) => verdict !== 'valid',
      ).length;
    };
    expect(touched(1_000)).toBe(0);
    // 500 folded lines in 4,096 slots: one page in eight, and none of it because of its tags.
    expect(touched(1_500)).toBeGreaterThan(0);
    expect(touched(1_500)).toBeLessThan(200);
  });

  test('few long keys take no more room than many short ones', () => {
    const long = Array.from({ length: 50 }, (_, n) => [
      line(n + 1, 'url', `blog:/${n}${'x'.repeat(16_000)}`, 'reader'),
    ]);
    const book = bookAfter(long);
    expect([...book.lines.values()].reduce((sum, { value }) => sum + value.length, 0)).toBeLessThan(120_000);
    for (const [one] of long) expect(judge(book, { key: one?.value ?? '', seq: 0 })).toBe('invalidated');
  });
});

test('time folds lines too, and a prefix that went has every older page validated', () => {
  const book = bookAfter([[line(3, 'url', 'blog:/a'), line(3, 'prefix', 'blog:/b/')]]);
  const nextDay = written(book, [], NOW + 25 * HOUR_MS).book;
  expect([nextDay.lines.size, nextDay.floor]).toEqual([1, 0]);
  expect(judge(nextDay, { key: 'blog:/a#part', seq: 2 })).toBe('invalidated');
  expect(judge(nextDay, { key: 'blog:/a', seq: 3 })).toBe('valid');
  expect(judge(nextDay, { key: 'blog:/other', seq: 2 })).toBe('valid');
  const nextMonth = written(nextDay, [], NOW + 31 * 24 * HOUR_MS).book;
  expect([nextMonth.lines.size, nextMonth.floor]).toEqual([0, 3]);
});

test('slots are spread evenly, tags and URLs apart', () => {
  const used = new Map<number, number>();
  for (let n = 0; n < 8 * SLOTS; n += 1) {
    const slot = slotOf('url', `blog:/posts/2026/${n}`);
    used.set(slot, (used.get(slot) ?? 0) + 1);
  }
  expect(used.size).toBeGreaterThan(SLOTS * 0.99);
  expect(Math.max(...used.values())).toBeLessThan(32);
  expect(Math.max(...used.keys())).toBeLessThan(SLOTS);
  expect(slotOf('tag', 'list')).toBeGreaterThanOrEqual(SLOTS);
});
