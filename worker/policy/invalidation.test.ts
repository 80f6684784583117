import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_SNAPSHOT, type Invalidation, InvalidationIndex, type LedgerSnapshot } from './invalidation.ts';
import type { LedgerVerdict } from './reuse.ts';

interface Stored {
  key: string;
  tags: string[];
  seq: number;
}

const PAGE: Stored = { key: 'blog:/posts/a', tags: ['post:a', 'list'], seq: 5 };
const line = (kind: Invalidation['kind'], value: string, seq: number, mode: Invalidation['mode'] = 'invalidate') => ({
  kind,
  value,
  seq,
  mode,
});
const verdict = (entries: Invalidation[], stored = PAGE, floor = 0): LedgerVerdict =>
  new InvalidationIndex({ seq: 9, floor, entries }).verdict(stored);

describe('what a line of the ledger says of a page fetched at number 5', () => {
  test.each<[string, Invalidation, LedgerVerdict]>([
    ['its tag', line('tag', 'list', 6), 'invalidated'],
    ['another tag', line('tag', 'lis', 6), 'valid'],
    ['its URL', line('url', 'blog:/posts/a', 6), 'invalidated'],
    ['a URL that only begins so', line('url', 'blog:/posts', 6), 'valid'],
    ['a longer URL', line('url', 'blog:/posts/a?x=1', 6), 'valid'],
    ['its folder', line('prefix', 'blog:/posts/', 6), 'invalidated'],
    ['itself as a prefix', line('prefix', 'blog:/posts/a', 6), 'invalidated'],
    ['another folder', line('prefix', 'blog:/tags/', 6), 'valid'],
    ['another route', line('prefix', 'api:/posts/', 6), 'valid'],
    ['everything', line('everything', '', 6), 'invalidated'],
    ['a number it knew already', line('tag', 'list', 5), 'valid'],
    ['an older number', line('everything', '', 4, 'delete'), 'valid'],
    ['a take-down', line('url', 'blog:/posts/a', 6, 'delete'), 'deleted'],
    ['a take-down by tag', line('tag', 'post:a', 6, 'delete'), 'deleted'],
    ['a take-down by folder', line('prefix', 'blog:/', 6, 'delete'), 'deleted'],
  ])('%s', (_, entry, expected) => {
    expect(verdict([entry])).toBe(expected);
  });

  test('a take-down outweighs an invalidation, in either order', () => {
    const lines = [line('tag', 'list', 7), line('url', PAGE.key, 6, 'delete')];
    expect(verdict(lines)).toBe('deleted');
    expect(verdict([...lines].reverse())).toBe('deleted');
  });

  test('parts and keyed variants are the same URL', () => {
    const entries = [line('url', 'blog:/posts/a', 6)];
    expect(verdict(entries, { ...PAGE, key: 'blog:/posts/a#part' })).toBe('invalidated');
    expect(verdict(entries, { ...PAGE, key: 'blog:/posts/a#h=accept-language:de' })).toBe('invalidated');
  });

  test('a variant by its whole key: it and its parts, no other', () => {
    const entries = [line('url', 'blog:/posts/a#h=accept-language:de', 6)];
    expect(verdict(entries, { ...PAGE, key: 'blog:/posts/a#h=accept-language:de' })).toBe('invalidated');
    expect(verdict(entries, { ...PAGE, key: 'blog:/posts/a#h=accept-language:de#part' })).toBe('invalidated');
    expect(verdict(entries, { ...PAGE, key: 'blog:/posts/a#h=accept-language:en' })).toBe('valid');
    expect(verdict(entries, { ...PAGE, key: 'blog:/posts/a' })).toBe('valid');
  });

  test('below the floor of compaction everything is validated once', () => {
    expect(verdict([], PAGE, 5)).toBe('valid');
    expect(verdict([], PAGE, 6)).toBe('invalidated');
  });

  test('an empty ledger says nothing', () => {
    expect(new InvalidationIndex(EMPTY_SNAPSHOT).verdict({ ...PAGE, seq: 0 })).toBe('valid');
  });
});

/** The definition, slow and plain. */
function naive({ entries, floor }: LedgerSnapshot, { key, tags, seq }: Stored): LedgerVerdict {
  const matching = entries.filter(({ kind, value, seq: at }) => {
    if (at <= seq) return false;
    if (kind === 'everything') return true;
    if (kind === 'tag') return tags.includes(value);
    return kind === 'url' ? [key.split('#')[0], key.replace(/#part$/, '')].includes(value) : key.startsWith(value);
  });
  if (matching.some(({ mode }) => mode === 'delete')) return 'deleted';
  return matching.length > 0 || seq < floor ? 'invalidated' : 'valid';
}

test('property: the index says what reading every line says', () => {
  const number = fc.integer({ min: 0, max: 8 });
  const key = fc.stringMatching(/^r:\/[ab/]{0,4}(#p|#h=x|#h=x#part)?$/);
  const tag = fc.constantFrom('t', 'u', 'v');
  const mode = fc.constantFrom<Invalidation['mode']>('invalidate', 'delete');
  const entry: fc.Arbitrary<Invalidation> = fc.oneof(
    fc.record({ seq: number, kind: fc.constant('tag' as const), value: tag, mode }),
    fc.record({ seq: number, kind: fc.constant('url' as const), value: key, mode }),
    fc.record({ seq: number, kind: fc.constant('prefix' as const), value: key, mode }),
    fc.record({ seq: number, kind: fc.constant('everything' as const), value: fc.constant(''), mode }),
  );
  const stored = fc.record({ key, tags: fc.array(tag), seq: number });
  fc.assert(
    fc.property(fc.array(entry), number, fc.array(stored, { minLength: 1 }), (entries, floor, pages) => {
      const snapshot = { seq: 9, floor, entries };
      const index = new InvalidationIndex(snapshot);
      for (const page of pages) expect(index.verdict(page)).toBe(naive(snapshot, page));
    }),
    { numRuns: 500 },
  );
});
