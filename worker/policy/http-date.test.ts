import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { parseHttpDate } from './http-date.ts';

const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('the three forms of RFC 9110 §5.6.7', () => {
  test.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE],
    ['asctime', 'Sun Nov  6 08:49:37 1994', EXAMPLE],
    ['asctime, two-digit day', 'Wed Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['case does not matter', 'sun, 06 NOV 1994 08:49:37 gmt', EXAMPLE],
    ['a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['a leap day', 'Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['the weekday is not checked against the date', 'Mon, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
  ])('%s: %s', (_, text, expected) => {
    expect(parseHttpDate(text, NOW)).toBe(expected);
  });
});

describe('the two-digit year of RFC 850: more than 50 years ahead means the past', () => {
  test.each([
    ['26', 2026],
    ['76', 2076],
    ['77', 1977],
    ['99', 1999],
    ['00', 2000],
  ])('-%s is %d, seen from 2026', (short, year) => {
    expect(parseHttpDate(`Sunday, 06-Nov-${short} 08:49:37 GMT`, NOW)).toBe(Date.UTC(year, 10, 6, 8, 49, 37));
  });
});

describe('anything else is no date (RFC 9111 §5.3: then `Expires` lies in the past)', () => {
  test.each([
    [undefined],
    [''],
    ['0'],
    ['-1'],
    ['now'],
    ['1994-11-06T08:49:37Z'],
    ['Sun, 06 Nov 1994 08:49:37'],
    ['Sun, 06 Nov 1994 08:49:37 UTC'],
    ['Sun, 06 Nov 1994 08:49:37 +0000'],
    ['Sun, 06 Nov 1994 08:49 GMT'],
    ['Sun, 6 Nov 1994 08:49:37 GMT'],
    ['Sun,  06 Nov 1994 08:49:37 GMT'],
    [' Sun, 06 Nov 1994 08:49:37 GMT'],
    ['Sun, 06 Nov 94 08:49:37 GMT'],
    ['Sun, 06 Nov 1994 24:00:00 GMT'],
    ['Sun, 06 Nov 1994 08:60:00 GMT'],
    ['Sun, 06 Nov 1994 08:49:61 GMT'],
    ['Sun, 06 Foo 1994 08:49:37 GMT'],
    ['Sun, 00 Nov 1994 08:49:37 GMT'],
    ['Sun, 31 Feb 2027 08:49:37 GMT'],
    ['Sun, 29 Feb 2027 08:49:37 GMT'],
    ['Sun Nov 31 08:49:37 1994'],
    ['Sun Nov  0 08:49:37 1994'],
    ['Sunday, 31-Apr-27 08:49:37 GMT'],
    ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT'],
  ])('%s', (text) => {
    expect(parseHttpDate(text, NOW)).toBeUndefined();
  });
});

test('property: every whole second of four-digit years survives the round trip', () => {
  const seconds = fc.integer({ min: Date.UTC(1, 0, 1) / 1000 + 1, max: Date.UTC(9999, 11, 31) / 1000 });
  fc.assert(
    fc.property(seconds, (second) => {
      const ms = second * 1000;
      expect(parseHttpDate(new Date(ms).toUTCString(), NOW)).toBe(ms);
    }),
  );
  const first = new Date(0);
  first.setUTCFullYear(1, 0, 1);
  expect(parseHttpDate(first.toUTCString(), NOW)).toBe(first.getTime());
});

test('property: no string makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const date = parseHttpDate(text, NOW);
      expect(date === undefined || Number.isFinite(date)).toBe(true);
    }),
  );
});
