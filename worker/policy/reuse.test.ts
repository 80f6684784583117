import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MINUTE, storedMeta } from '../../test/support/stored.ts';
import { NOW } from '../../test/support/times.ts';
import type { Lifetime } from './freshness.ts';
import { currentAge, judge, type LedgerVerdict } from './reuse.ts';

/** A response that was `age` seconds old when received at NOW. */
const aged = (age: number, lifetime: Partial<Lifetime> = {}) =>
  storedMeta({ initialAge: age, lifetime: { ...MINUTE, ...lifetime } });

test.each([
  ['at once', 5, 0, 5],
  ['later', 5, 30, 35],
  ['a clock that went back does not make it younger', 5, -30, 5],
])('current_age (RFC 9111 §4.2.3): %s', (_, initial, seconds, expected) => {
  expect(currentAge(aged(initial), NOW + seconds * 1000)).toBe(expected);
});

describe('fresh (RFC 9111 §4.2): younger than its lifetime', () => {
  test.each<[number, number]>([
    [0, 60],
    [59, 1],
    [59.5, 0],
  ])('aged %d of 60: ttl %d', (age, ttl) => {
    expect(judge(aged(age), 'valid', NOW)).toEqual({ use: 'fresh', age, ttl });
  });

  test.each<[string, Partial<Lifetime>, number, LedgerVerdict]>([
    ['at the end of its lifetime', {}, 60, 'valid'],
    ['without lifetime', { fresh: 0 }, 0, 'valid'],
    ['no-cache', { always: true, noStale: true }, 0, 'valid'],
    ['invalidated', {}, 0, 'invalidated'],
  ])('not: %s', (_, lifetime, age, verdict) => {
    expect(judge(aged(age, lifetime), verdict, NOW).use).toBe('stale');
  });
});

describe('stale uses: while revalidating, on an error, when home cannot be reached', () => {
  const SWR = { whileRevalidate: 30 };
  const SIE = { ifError: 90 };
  test.each<[string, Partial<Lifetime>, number, LedgerVerdict, [boolean, boolean, boolean], string]>([
    ['nothing allowed but outages (RFC 9111 §4.2.4)', {}, 61, 'valid', [false, false, true], 'expired'],
    ['within stale-while-revalidate (RFC 5861 §3)', SWR, 89, 'valid', [true, false, true], 'expired'],
    ['at its end', SWR, 90, 'valid', [false, false, true], 'expired'],
    ['within stale-if-error (RFC 5861 §4)', SIE, 149, 'valid', [false, true, true], 'expired'],
    ['at its end', SIE, 150, 'valid', [false, false, true], 'expired'],
    ['years later home is still unreachable', SIE, 1e9, 'valid', [false, false, true], 'expired'],
    ['must-revalidate: none, not even in an outage', { noStale: true }, 61, 'valid', [false, false, false], 'expired'],
    ['no-cache: none', { always: true, noStale: true }, 0, 'valid', [false, false, false], 'no-cache'],
    [
      'invalidated: readers wait for one revalidation',
      { ...SWR, ...SIE },
      0,
      'invalidated',
      [false, true, true],
      'invalidated',
    ],
    ['invalidated and old', { ...SWR, ...SIE }, 70, 'invalidated', [false, true, true], 'invalidated'],
    ['invalidated and must-revalidate', { noStale: true }, 0, 'invalidated', [false, false, false], 'invalidated'],
  ])('%s', (_, lifetime, age, verdict, [whileRevalidate, onError, whenUnreachable], reason) => {
    const may = { whileRevalidate, onError, whenUnreachable };
    expect(judge(aged(age, lifetime), verdict, NOW)).toMatchObject({ use: 'stale', reason, may });
  });
});

test('deleted: gone, fresh or not', () => {
  expect(judge(aged(0), 'deleted', NOW)).toEqual({ use: 'gone' });
  expect(judge(aged(1e6), 'deleted', NOW)).toEqual({ use: 'gone' });
});

test.each<[string, Partial<Lifetime>, LedgerVerdict]>([
  ['invalidated', {}, 'invalidated'],
  ['no-cache', { always: true, noStale: true }, 'valid'],
])('a response that is not fresh has no freshness left (RFC 9211 §2.4): %s', (_, lifetime, verdict) => {
  expect(judge(aged(10, lifetime), verdict, NOW)).toMatchObject({ use: 'stale', ttl: 0 });
});

test('property: a response only ever loses uses as it ages, and ttl tells fresh from stale', () => {
  const seconds = fc.integer({ min: 0, max: 200 });
  const lifetimes = fc.record({ fresh: seconds, whileRevalidate: seconds, ifError: seconds, always: fc.boolean() });
  const rank = (lifetime: Partial<Lifetime>, age: number, verdict: LedgerVerdict): number => {
    const judged = judge(aged(age, lifetime), verdict, NOW);
    if (judged.use === 'gone') return 0;
    if (judged.use === 'fresh') return 9;
    expect(judged.ttl).toBeLessThanOrEqual(0);
    const { whileRevalidate, onError, whenUnreachable } = judged.may;
    return 1 + Number(whileRevalidate) + Number(onError) + Number(whenUnreachable);
  };
  const verdicts = fc.constantFrom<LedgerVerdict>('valid', 'invalidated', 'deleted');
  fc.assert(
    fc.property(lifetimes, seconds, seconds, verdicts, (lifetime, age, more, verdict) => {
      expect(rank(lifetime, age + more, verdict)).toBeLessThanOrEqual(rank(lifetime, age, verdict));
      expect(rank(lifetime, age, 'invalidated')).toBeLessThanOrEqual(rank(lifetime, age, 'valid'));
    }),
  );
});
