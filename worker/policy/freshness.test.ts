import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchange, httpDate, NOW } from '../../test/support/times.ts';
import { responseDirectives } from './directives.ts';
import { initialAge, type Lifetime, lifetimeOf } from './freshness.ts';
import type { HeaderList } from './header-list.ts';

const DAY = 86_400;
const RULE = { type: 'text/html', fresh: 60, whileRevalidate: DAY, ifError: 365 * DAY };
const lifetime = (headers: HeaderList, status = 200, rule?: typeof RULE): Lifetime =>
  lifetimeOf(status, headers, responseDirectives(headers), exchange, rule);
const cc = (value: string): HeaderList => [['cache-control', value]];

describe('explicit freshness (RFC 9111 §4.2.1): s-maxage, then max-age, then Expires', () => {
  test.each<[string, HeaderList, number, Lifetime['from']]>([
    ['s-maxage over max-age', cc('s-maxage=10, max-age=60'), 10, 's-maxage'],
    ['max-age over Expires', [...cc('max-age=60'), ['expires', httpDate(9)]], 60, 'max-age'],
    [
      'Expires less Date',
      [
        ['expires', httpDate(100)],
        ['date', httpDate(-20)],
      ],
      120,
      'expires',
    ],
    ['Expires without Date: less the time of receipt', [['expires', httpDate(100)]], 100, 'expires'],
    [
      'Expires with a malformed Date',
      [
        ['expires', httpDate(100)],
        ['date', 'yesterday'],
      ],
      100,
      'expires',
    ],
    [
      'Expires before Date',
      [
        ['expires', httpDate(-5)],
        ['date', httpDate(0)],
      ],
      0,
      'expires',
    ],
    ['Expires: 0', [['expires', '0']], 0, 'expires'],
    ['Expires: never', [['expires', 'never']], 0, 'expires'],
    [
      'two Expires',
      [
        ['expires', httpDate(9)],
        ['expires', httpDate(9)],
      ],
      0,
      'expires',
    ],
    ['an invalid max-age is stale, Expires or not', [...cc('max-age=x'), ['expires', httpDate(9)]], 0, 'max-age'],
    [
      'a targeted field replaces Expires too',
      [
        ['cdn-cache-control', 'public'],
        ['expires', httpDate(9)],
      ],
      0,
      'none',
    ],
  ])('%s', (_, headers, fresh, from) => {
    expect(lifetime(headers)).toMatchObject({ fresh, from });
  });
});

describe('where the origin is silent: the rule of the site, else the heuristic of RFC 9111 §4.2.2', () => {
  const modified: HeaderList = [['last-modified', httpDate(-10 * DAY)]];
  test.each<[string, HeaderList, number, typeof RULE | undefined, number, Lifetime['from']]>([
    ['a rule', [], 200, RULE, 60, 'rule'],
    ['a rule before the heuristic', modified, 200, RULE, 60, 'rule'],
    ['a rule also beside no-cache', cc('no-cache'), 200, RULE, 60, 'rule'],
    ['no rule for a status that has no heuristic', [], 500, RULE, 0, 'none'],
    ['a tenth of the age', modified, 200, undefined, DAY, 'heuristic'],
    ['a tenth of the age at Date', [...modified, ['date', httpDate(-5 * DAY)]], 200, undefined, DAY / 2, 'heuristic'],
    ['at most a week', [['last-modified', httpDate(-365 * DAY)]], 200, undefined, 7 * DAY, 'heuristic'],
    ['modified in the future', [['last-modified', httpDate(DAY)]], 200, undefined, 0, 'heuristic'],
    ['a malformed Last-Modified', [['last-modified', 'today']], 200, undefined, 0, 'none'],
    ['nothing at all', [], 200, undefined, 0, 'none'],
    ['404 is heuristically cacheable', modified, 404, undefined, DAY, 'heuristic'],
    ['302 is not', modified, 302, undefined, 0, 'none'],
    ['302 with public is', [...modified, ...cc('public')], 302, undefined, DAY, 'heuristic'],
  ])('%s', (_, headers, status, rule, fresh, from) => {
    expect(lifetime(headers, status, rule)).toMatchObject({ fresh, from });
  });

  test.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])('%d may be guessed (RFC 9110 §15.1)', (status) => {
    expect(lifetime(modified, status).from).toBe('heuristic');
  });

  test.each([201, 202, 206, 302, 303, 307, 400, 401, 403, 429, 500, 502, 503, 504])('%d may not', (status) => {
    expect(lifetime(modified, status).from).toBe('none');
  });
});

describe('stale uses (RFC 5861, RFC 9111 §4.2.4)', () => {
  const NEVER = { whileRevalidate: 0, ifError: 0, noStale: true };
  test.each<[string, HeaderList, typeof RULE | undefined, Partial<Lifetime>]>([
    [
      'as the origin says',
      cc('max-age=1, stale-while-revalidate=5, stale-if-error=9'),
      RULE,
      { whileRevalidate: 5, ifError: 9 },
    ],
    ['by the rule where it is silent', [], RULE, { whileRevalidate: DAY, ifError: 365 * DAY }],
    [
      'explicit freshness ends waiting behind, not the copy for outages',
      cc('max-age=1'),
      RULE,
      { whileRevalidate: 0, ifError: 365 * DAY },
    ],
    ['nothing without rule or word', cc('max-age=1'), undefined, { whileRevalidate: 0, ifError: 0, noStale: false }],
    ['must-revalidate', cc('max-age=1, must-revalidate, stale-if-error=9'), RULE, NEVER],
    ['proxy-revalidate', cc('max-age=1, proxy-revalidate, stale-while-revalidate=9'), RULE, NEVER],
    ['s-maxage (RFC 9111 §5.2.2.10)', cc('s-maxage=1, stale-if-error=9'), RULE, NEVER],
    ['no-cache', cc('no-cache, stale-if-error=9'), RULE, { ...NEVER, always: true }],
    [
      'qualified no-cache is about fields, not reuse',
      cc('max-age=1, no-cache="a"'),
      RULE,
      { noStale: false, always: false },
    ],
    ['the rule counts beside no-cache of the rule', cc('no-cache'), RULE, { ...NEVER, from: 'rule' }],
  ])('%s', (_, headers, rule, expected) => {
    expect(lifetime(headers, 200, rule)).toMatchObject(expected);
  });
});

describe('corrected_initial_age (RFC 9111 §4.2.3)', () => {
  const slow = { requestTime: NOW - 3000, responseTime: NOW };
  test.each<[string, HeaderList, typeof exchange, number]>([
    ['nothing said, no delay', [], exchange, 0],
    ['the delay of the exchange counts', [], slow, 3],
    ['Age plus delay', [['age', '10']], slow, 13],
    ['apparent age by Date', [['date', httpDate(-30)]], exchange, 30],
    [
      'the larger of both',
      [
        ['age', '10'],
        ['date', httpDate(-30)],
      ],
      slow,
      30,
    ],
    ['Date in the future is no age', [['date', httpDate(30)]], exchange, 0],
    ['a malformed Date is ignored', [['date', '30 s ago']], exchange, 0],
    ['a negative Age is ignored', [['age', '-10']], exchange, 0],
    ['a fractional Age is ignored', [['age', '1.5']], exchange, 0],
    ['words are ignored', [['age', 'old']], exchange, 0],
    ['of several the first counts', [['age', '7, 8']], exchange, 7],
    [
      'also on several lines',
      [
        ['age', '7'],
        ['age', '8'],
      ],
      exchange,
      7,
    ],
    ['beyond 2^31 stays large', [['age', '4294967296']], exchange, 4_294_967_296],
    ['a clock that went back costs nothing', [], { requestTime: NOW + 5000, responseTime: NOW }, 0],
  ])('%s', (_, headers, times, age) => {
    expect(initialAge(headers, times)).toBe(age);
  });
});

test('property: no lifetime or age is negative, NaN or infinite, whatever the fields say', () => {
  const value = fc.oneof(fc.string(), fc.constantFrom(httpDate(5), httpDate(-5), 'max-age=5', 's-maxage=x', '7'));
  const name = fc.constantFrom('cache-control', 'cdn-cache-control', 'expires', 'date', 'age', 'last-modified');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), fc.integer({ min: 200, max: 599 }), (headers, status) => {
      const { fresh, whileRevalidate, ifError } = lifetime(headers, status, RULE);
      for (const seconds of [fresh, whileRevalidate, ifError, initialAge(headers, exchange)]) {
        expect(seconds >= 0 && Number.isFinite(seconds)).toBe(true);
      }
    }),
  );
});
