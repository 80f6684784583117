import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BareItem, parseDictionary } from './structured-dictionary.ts';

const parsed = (text: string): Record<string, BareItem> | undefined => {
  const members = parseDictionary(text);
  return members && Object.fromEntries(members);
};
const yes: BareItem = { type: 'boolean', value: true };
const integer = (value: number): BareItem => ({ type: 'integer', value });
const token = (value: string): BareItem => ({ type: 'token', value });
const other: BareItem = { type: 'other' };

describe('valid dictionaries (RFC 9651 §3.2)', () => {
  test.each<[string, Record<string, BareItem>]>([
    ['', {}],
    ['   ', {}],
    ['max-age=60', { 'max-age': integer(60) }],
    ['  max-age=60  ', { 'max-age': integer(60) }],
    ['max-age=60,no-store', { 'max-age': integer(60), 'no-store': yes }],
    ['max-age=60 \t,\t no-store', { 'max-age': integer(60), 'no-store': yes }],
    ['a=-1', { a: integer(-1) }],
    ['a=999999999999999', { a: integer(999_999_999_999_999) }],
    ['a=1.5', { a: { type: 'decimal', value: 1.5 } }],
    ['a=123456789012.123', { a: { type: 'decimal', value: 123_456_789_012.123 } }],
    ['a="x \\"y\\" \\\\"', { a: { type: 'string', value: 'x "y" \\' } }],
    ['a=""', { a: { type: 'string', value: '' } }],
    ['a=*/x:y', { a: token('*/x:y') }],
    ['a=?1,b=?0', { a: yes, b: { type: 'boolean', value: false } }],
    ['a;x=1;y', { a: yes }],
    ['a=1;x="y";  z=?0', { a: integer(1) }],
    ['a=(1 "b" c;d)', { a: other }],
    ['a=()', { a: other }],
    ['a=( 1  2 )', { a: other }],
    ['a=:aGk=:', { a: other }],
    ['a=@1659578233', { a: other }],
    ['a=%"f%c3%bc"', { a: other }],
    ['*a.b-c_d=1', { '*a.b-c_d': integer(1) }],
  ])('%s', (text, members) => {
    expect(parsed(text)).toEqual(members);
  });

  test('the last of equal keys wins (RFC 9651 §4.2.2)', () => {
    expect(parsed('a=1,b,a=2')).toEqual({ a: integer(2), b: yes });
  });
});

describe('anything wrong refuses the whole field', () => {
  test.each([
    ['max-age=60,'],
    [',max-age=60'],
    ['max-age=60,,no-store'],
    ['max-age=60, &&&'],
    ['max-age=60;'],
    ['max-age='],
    ['max-age =60'],
    ['max-age= 60'],
    ['Max-Age=60'],
    ['1a=60'],
    ['max-age=60 no-store'],
    ['max-age="60'],
    ['max-age=60"'],
    ["max-age='60'"],
    ['a=1.'],
    ['a=.5'],
    ['a=1.1234'],
    ['a=--1'],
    ['a=1000000000000000'],
    ['a=1234567890123.1'],
    ['a=?2'],
    ['a=(1'],
    ['a=(1,2)'],
    ['a=("b""c")'],
    ['a=(1"b")'],
    ['a="\\x"'],
    ['a="é"'],
    ['a=é'],
    ['\ta=1'],
    ['a=1\n'],
  ])('%s', (text) => {
    expect(parsed(text)).toBeUndefined();
  });
});

test('property: what is written as a dictionary is read as that dictionary', () => {
  const key = fc.stringMatching(/^[a-z*][a-z0-9_\-.*]{0,8}$/);
  const item = fc.oneof(
    fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }).map((n) => [String(n), integer(n)] as const),
    fc.stringMatching(/^[A-Za-z*][A-Za-z0-9:/!#]{0,8}$/).map((text) => [text, token(text)] as const),
    fc.constant(['?1', yes] as const),
    fc
      .stringMatching(/^[ -~]{0,8}$/)
      .map((text) => [`"${text.replace(/["\\]/g, '\\$&')}"`, { type: 'string', value: text } as BareItem] as const),
  );
  const spaces = fc.constantFrom('', ' ', '\t', ' \t ');
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(key, item, spaces), { selector: ([name]) => name }), (members) => {
      const text = members.map(([name, [value], space]) => `${name}=${value}${space}`).join(',');
      // A field's outer white space is gone before anyone parses it (RFC 9110 §5.5).
      expect(parsed(text.trim())).toEqual(Object.fromEntries(members.map(([name, [, value]]) => [name, value])));
    }),
  );
});

test('property: no string makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      expect(() => parseDictionary(text)).not.toThrow();
    }),
  );
});
