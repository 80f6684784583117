import fc from 'fast-check';
import { expect, test } from 'vitest';
import { storedResponse } from '../../test/support/stored.ts';
import { selectionKey } from '../policy/vary.ts';
import {
  admitted,
  indexed,
  MAX_VARIANTS,
  MAX_VARY_LISTS,
  newestMatch,
  variantSuffix,
  variantSuffixes,
} from './variants.ts';

const variant = (value: string, responseTime: number) =>
  storedResponse({ selection: { names: ['x'], values: [value] }, responseTime });

test('of several that match, the newest (RFC 9111 §4.1)', () => {
  const entries = [variant('1', 5), variant('1', 9), variant('2', 20), variant('1', 7)];
  expect(newestMatch(entries, () => '1')?.responseTime).toBe(9);
  expect(newestMatch(entries, () => '3')).toBeUndefined();
  expect(newestMatch([], () => '1')).toBeUndefined();
});

test('an index that knows the names stays the same object: nothing to write', () => {
  const first = indexed(undefined, ['a']);
  expect(indexed(first, ['a'])).toBe(first);
  expect(indexed(first, ['b']).vary).toEqual([['b'], ['a']]);
  expect(indexed(first, ['a', 'b']).vary).toEqual([['a', 'b'], ['a']]);
});

test('an origin that changes its mind about Vary leaves few lists', () => {
  let index = indexed(undefined, ['x0']);
  for (let i = 1; i < 10; i++) index = indexed(index, [`x${i}`]);
  expect(index.vary).toHaveLength(MAX_VARY_LISTS);
  expect(index.vary[0]).toEqual(['x9']);
});

test('property: a request computes the place at which its variant was put', () => {
  const value = fc.option(fc.string(), { nil: null });
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^x-[a-d]$/), { minLength: 1 }), fc.array(value), (names, values) => {
      const given = new Map(names.map((name, i) => [name, values[i] ?? null]));
      const read = (name: string): string | null => given.get(name) ?? null;
      const suffixes = variantSuffixes({ vary: [names] }, read);
      expect(suffixes).toEqual([expect.stringMatching(/^#v=[0-9a-f]{16}$/)]);
      expect(variantSuffixes({ vary: [['other'], names] }, read)).toContain(suffixes[0]);
    }),
  );
  expect(variantSuffix(selectionKey({ names: ['x'], values: ['1'] }))).not.toBe(
    variantSuffix(selectionKey({ names: ['x'], values: ['2'] })),
  );
});

test('an index holds sixteen variants: a new one pushes the oldest out, a known one nobody', () => {
  let index = indexed(undefined, ['x']);
  const out: string[] = [];
  for (let i = 0; i < MAX_VARIANTS + 2; i++) {
    const { next, dropped } = admitted(index, `#v=${i}`);
    index = next;
    out.push(...dropped);
  }
  expect(index.variants).toHaveLength(MAX_VARIANTS);
  expect(out).toEqual(['#v=0', '#v=1']);
  expect(admitted(index, '#v=5')).toEqual({ next: index, dropped: [] });
  expect(admitted(index, '#v=5').next).toBe(index);
});
