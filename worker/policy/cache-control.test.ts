import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deltaSeconds, parseCacheControl } from './cache-control.ts';

const parsed = (text: string | undefined): Record<string, string | true> => Object.fromEntries(parseCacheControl(text));

describe('the syntax of RFC 9111 §5.2', () => {
  test.each<[string | undefined, Record<string, string | true>]>([
    [undefined, {}],
    ['', {}],
    ['no-store', { 'no-store': true }],
    ['max-age=60', { 'max-age': '60' }],
    ['Max-Age=60, NO-STORE', { 'max-age': '60', 'no-store': true }],
    ['max-age="60"', { 'max-age': '60' }],
    ['no-cache="set-cookie, x-a"', { 'no-cache': 'set-cookie, x-a' }],
    ['no-cache="a\\"b"', { 'no-cache': 'a"b' }],
    [', ,max-age=60,\t,, no-store,', { 'max-age': '60', 'no-store': true }],
    ['max-age=60\tno-store', {}],
  ])('%s', (text, directives) => {
    expect(parsed(text)).toEqual(directives);
  });
});

describe('a member that does not parse is skipped alone', () => {
  test.each<[string, Record<string, string | true>]>([
    ['max-age=60; x, no-store', { 'no-store': true }],
    ['max-age = 60, public', { public: true }],
    ['max-age=, public', { public: true }],
    ['=60, public', { public: true }],
    ['max-age="60, public', { public: true }],
    ['x="a, no-store", public', { x: 'a, no-store', public: true }],
    ['bad value="a, no-store", public', { public: true }],
    ['é, public', { public: true }],
    ['max-age="60"x, public', { public: true }],
  ])('%s', (text, directives) => {
    expect(parsed(text)).toEqual(directives);
  });
});

test('of repeated directives the first counts (RFC 9111 §4.2.1)', () => {
  expect(parsed('max-age=60, max-age=3600')).toEqual({ 'max-age': '60' });
});

describe('delta-seconds (RFC 9111 §1.2.2)', () => {
  test.each<[string | true | undefined, number | undefined]>([
    ['0', 0],
    ['60', 60],
    ['0060', 60],
    ['2147483648', 2_147_483_648],
    ['99999999999999999999', 2 ** 40],
    ['-1', undefined],
    ['+60', undefined],
    ['60.5', undefined],
    ['60s', undefined],
    [' 60', undefined],
    ['', undefined],
    ['٦٠', undefined],
    [true, undefined],
    [undefined, undefined],
  ])('%s', (value, seconds) => {
    expect(deltaSeconds(value)).toBe(seconds);
  });
});

test('property: no string makes it throw, and every name is a lower-case token', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aA=",\\ \t;-0é'), maxLength: 60 }), (text) => {
      for (const name of parseCacheControl(text).keys()) expect(name).toMatch(/^[!#$%&'*+\-.^_`|~0-9a-z]+$/);
    }),
  );
});

test('property: a directive is found whatever well-formed directives stand around it', () => {
  const token = fc.stringMatching(/^[a-z][a-z-]{0,8}$/).filter((name) => name !== 'no-store');
  const directive = fc.oneof(
    token,
    fc.tuple(token, fc.nat()).map(([name, value]) => `${name}=${value}`),
    fc.tuple(token, fc.stringMatching(/^[a-z ,=;]{0,8}$/)).map(([name, value]) => `${name}="${value}"`),
  );
  fc.assert(
    fc.property(fc.array(directive), fc.array(directive), (before, after) => {
      expect(parseCacheControl([...before, 'no-store', ...after].join(', ')).has('no-store')).toBe(true);
    }),
  );
});

test('quotes that never close cost no more than their length allows', () => {
  const started = performance.now();
  parseCacheControl(`x=${'"\\"'.repeat(3000)}`);
  expect(performance.now() - started).toBeLessThan(5000);
});
