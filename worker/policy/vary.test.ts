import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeaderList } from './header-list.ts';
import {
  NO_SELECTION,
  normaliseField,
  type ReadField,
  select,
  selectionKey,
  selectionMatches,
  varyNames,
} from './vary.ts';

const reading =
  (fields: Record<string, string>): ReadField =>
  (name) =>
    fields[name] ?? null;

test.each<[HeaderList, string[]]>([
  [[], []],
  [[['vary', '']], []],
  [[['vary', 'Accept-Language, accept,ACCEPT']], ['accept', 'accept-language']],
  [
    [
      ['vary', 'b'],
      ['vary', 'a'],
    ],
    ['a', 'b'],
  ],
])('names of %j', (headers, names) => {
  expect(varyNames(headers)).toEqual(names);
});

describe('normalising where the meaning stays (RFC 9111 §4.1)', () => {
  test.each<[string, string | null, string | null]>([
    ['accept-language', null, null],
    ['accept-language', 'en', 'en'],
    ['accept-language', 'EN , de', 'de,en'],
    ['accept-language', 'de, en', 'de,en'],
    ['accept-language', 'fr;q=0.5, en', 'en,fr;q=0.5'],
    ['accept-language', 'fr; q=0.50, en;q=1.0', 'en,fr;q=0.5'],
    ['accept-language', 'en;q=x', 'en'],
    ['accept-language', '', ''],
    ['accept-encoding', 'gzip;q=0, br', 'br,gzip;q=0'],
    ['accept', 'text/html ,  */*', 'text/html,*/*'],
    ['accept', 'B, a', 'B,a'],
    ['user-agent', ' Mozilla/5.0 ', 'Mozilla/5.0'],
  ])('%s: %s', (name, value, expected) => {
    expect(normaliseField(name, value)).toBe(expected);
  });

  test('what is quoted is left alone: white space counts there (RFC 9110 §5.6.4)', () => {
    const one = normaliseField('x-filter', '"a,  b"');
    expect(one).not.toBe(normaliseField('x-filter', '"a,b"'));
  });

  test('property: normalising twice changes nothing more', () => {
    const value = fc.string({ unit: fc.constantFrom(...'aA,;q=01.5 "*-'), maxLength: 20 });
    fc.assert(
      fc.property(fc.constantFrom('accept-language', 'accept-encoding', 'accept'), value, (name, text) => {
        const once = normaliseField(name, text);
        expect(normaliseField(name, once)).toBe(once);
      }),
    );
  });

  test('property: the order of members of equal weight has no meaning', () => {
    const member = fc.tuple(fc.constantFrom('en', 'de', 'fr', '*'), fc.constantFrom('', ';q=0.5', ';q=0'));
    const list = fc.uniqueArray(member, { selector: ([range]) => range }).map((all) => all.map((m) => m.join('')));
    fc.assert(
      fc.property(list, (members) => {
        const reversed = [...members].reverse().join(', ');
        expect(normaliseField('accept-language', reversed)).toBe(normaliseField('accept-language', members.join(',')));
      }),
    );
  });
});

describe('selecting', () => {
  test('without Vary there is nothing to select by', () => {
    expect(select([], reading({ accept: 'x' }))).toBe(NO_SELECTION);
    expect(selectionKey(NO_SELECTION)).toBe('');
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['the same value', { 'accept-language': 'de, en;q=0.5' }, true],
    ['the same meaning', { 'accept-language': 'EN;q=0.50,de' }, true],
    ['another value', { 'accept-language': 'fr' }, false],
    ['no value where there was one', {}, false],
  ])('%s', (_, fields, expected) => {
    const stored = select(['accept-language'], reading({ 'accept-language': 'de, en;q=0.5' }));
    expect(selectionMatches(stored, [], reading(fields))).toBe(expected);
  });

  test('an absent field is not an empty one', () => {
    const absent = select(['x-a'], reading({}));
    expect(selectionMatches(absent, [], reading({}))).toBe(true);
    expect(selectionMatches(absent, [], reading({ 'x-a': '' }))).toBe(false);
    expect(selectionKey(absent)).not.toBe(selectionKey(select(['x-a'], reading({ 'x-a': '' }))));
  });

  test('every name has to match', () => {
    const stored = select(['a', 'b'], reading({ a: '1', b: '2' }));
    expect(selectionMatches(stored, [], reading({ a: '1', b: '2', c: '3' }))).toBe(true);
    expect(selectionMatches(stored, [], reading({ a: '1', b: '3' }))).toBe(false);
  });
});

describe('a response in the language that is preferred most (RFC 9110 §12.5.4)', () => {
  const german: HeaderList = [['content-language', 'de']];
  const stored = select(['accept-language'], reading({ 'accept-language': 'de' }));
  test.each<[string, boolean]>([
    ['de-CH;q=0.5, de', true],
    ['en, de;q=0.9', false],
    ['de-CH', false],
    ['*', false],
    ['de;q=0', false],
    ['', false],
  ])('to a reader of "%s": %s', (wanted, serves) => {
    expect(selectionMatches(stored, german, reading({ 'accept-language': wanted }))).toBe(serves);
  });

  test('says nothing of other fields', () => {
    const both = select(['accept', 'accept-language'], reading({ accept: 'a', 'accept-language': 'de' }));
    expect(selectionMatches(both, german, reading({ accept: 'b', 'accept-language': 'de, en;q=0.1' }))).toBe(false);
  });
});

test('property: selection keys are equal exactly when selections are', () => {
  const value = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ',', ']', '\\'), maxLength: 4 }), { nil: null });
  const values = fc.array(value, { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const key = (list: (string | null)[]): string => selectionKey({ names: ['x', 'y'], values: list });
      expect(key(a) === key(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
