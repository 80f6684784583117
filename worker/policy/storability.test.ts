import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchange, httpDate } from '../../test/support/times.ts';
import { responseDirectives } from './directives.ts';
import { lifetimeOf } from './freshness.ts';
import type { HeaderList } from './header-list.ts';
import { type NotStored, storability, takesBack } from './storability.ts';

interface Case {
  method?: string;
  status?: number;
  authorization?: boolean;
  cookie?: boolean;
  rule?: boolean;
  headers?: HeaderList;
}

const RULE = { type: 'text/html', fresh: 60, whileRevalidate: 0, ifError: 0 };

function verdict({
  method = 'GET',
  status = 200,
  authorization = false,
  cookie = false,
  rule = false,
  headers = [],
}: Case) {
  const directives = responseDirectives(headers);
  const lifetime = lifetimeOf(status, headers, directives, exchange, rule ? RULE : undefined);
  const request = { method, requestHasAuthorization: authorization, requestHasCookie: cookie };
  const result = storability({ ...request, status, headers, directives, lifetime });
  return result.store ? 'stored' : result.reason;
}

const cc = (value: string, more: HeaderList = []): HeaderList => [['cache-control', value], ...more];
const ETAG: HeaderList = [['etag', '"1"']];
const COOKIE: HeaderList = [['set-cookie', 'a=b']];

describe('may be stored (RFC 9111 §3)', () => {
  test.each<[string, Case]>([
    ['explicit freshness', { headers: cc('max-age=60') }],
    ['even of no seconds: it can be validated or stand in', { headers: cc('max-age=0') }],
    ['a validator alone', { headers: ETAG }],
    ['the rule of the site alone', { rule: true }],
    ['heuristic freshness', { headers: [['last-modified', httpDate(-1000)]] }],
    ['no-cache with a validator', { headers: cc('no-cache', ETAG) }],
    ['qualified private', { headers: cc('max-age=60, private="x-user"') }],
    [
      'no-store beside an understood must-understand (§5.2.2.3)',
      { headers: cc('max-age=60, no-store, must-understand') },
    ],
    ['an authorised answer that is public (§3.5)', { authorization: true, headers: cc('public, max-age=60') }],
    ['or must-revalidate', { authorization: true, headers: cc('must-revalidate, max-age=60') }],
    ['or has s-maxage', { authorization: true, headers: cc('s-maxage=60') }],
    ['Set-Cookie that a qualified no-cache leaves out', { headers: cc('max-age=60, no-cache="set-cookie"', COOKIE) }],
    ['a failure with freshness of its own', { status: 500, headers: cc('max-age=5') }],
    ['a cookie, and explicit freshness', { cookie: true, headers: cc('max-age=60') }],
    ['a cookie, and public', { cookie: true, rule: true, headers: cc('public') }],
    ['an unknown status with freshness', { status: 299, headers: cc('max-age=60') }],
  ])('%s', (_, given) => {
    expect(verdict(given)).toBe('stored');
  });
});

describe('is not stored, and why', () => {
  test.each<[NotStored, string, Case]>([
    ['method', 'HEAD', { method: 'HEAD', headers: cc('max-age=60') }],
    ['method', 'POST', { method: 'POST', headers: cc('max-age=60') }],
    ['status', 'an interim response', { status: 103, headers: cc('max-age=60') }],
    ['status', '304 is no page', { status: 304, headers: cc('max-age=60') }],
    ['must-understand', 'an unknown status', { status: 299, headers: cc('max-age=60, must-understand') }],
    ['must-understand', 'before no-store', { status: 299, headers: cc('no-store, must-understand') }],
    ['no-store', 'no-store', { headers: cc('max-age=60, no-store') }],
    ['no-store', 'with a value', { headers: cc('max-age=60, no-store="x"') }],
    ['private', 'private', { headers: cc('max-age=60, private') }],
    ['private', 'private beside public', { headers: cc('public, private') }],
    ['authorization', 'max-age does not share it (§3.5)', { authorization: true, headers: cc('max-age=60') }],
    ['authorization', 'nor does a rule', { authorization: true, rule: true }],
    ['set-cookie', 'whatever its freshness', { headers: cc('public, max-age=60', COOKIE) }],
    ['set-cookie', 'another field is qualified', { headers: cc('max-age=60, no-cache="x-a"', COOKIE) }],
    ['vary-star', '*', { headers: cc('max-age=60', [['vary', '*']]) }],
    ['vary-star', '* among others', { headers: cc('max-age=60', [['vary', 'accept, *']]) }],
    [
      'event-stream',
      'an event stream',
      { headers: cc('max-age=60', [['content-type', 'text/event-stream; charset=utf-8']]) },
    ],
    ['cookie-without-freshness', 'only a rule', { cookie: true, rule: true }],
    ['cookie-without-freshness', 'only a heuristic', { cookie: true, headers: [['last-modified', httpDate(-1000)]] }],
    ['cookie-without-freshness', 'only a validator', { cookie: true, headers: ETAG }],
    ['no-validator', 'no-cache that nothing could confirm', { headers: cc('no-cache, max-age=60') }],
    ['no-freshness', 'nothing at all', {}],
    ['no-freshness', 'a failure with a validator', { status: 500, headers: ETAG }],
    ['no-freshness', 'a missing page with a validator', { status: 403, headers: ETAG }],
  ])('%s: %s', (reason, _, given) => {
    expect(verdict(given)).toBe(reason);
  });
});

test('property: no word of an origin lets a personal response in', () => {
  const word = fc.constantFrom(
    'public',
    'max-age=60',
    's-maxage=60',
    'must-revalidate',
    'immutable',
    'no-cache',
    'x=1',
  );
  const personal = fc.constantFrom<HeaderList>(COOKIE, cc('private'), cc('no-store'));
  fc.assert(
    fc.property(
      fc.array(word),
      personal,
      fc.integer({ min: 200, max: 599 }),
      fc.boolean(),
      (words, own, status, rule) => {
        const headers: HeaderList = [...cc(words.join(', ')), ...own, ...ETAG];
        expect(verdict({ headers, status, rule })).not.toBe('stored');
      },
    ),
  );
});

describe('an answer that may not be stored takes back the page that was', () => {
  test.each<[number, NotStored, boolean]>([
    [200, 'private', true],
    [200, 'no-store', true],
    [203, 'private', true],
    [304, 'private', true],
    [200, 'set-cookie', false],
    [200, 'authorization', false],
    [200, 'vary-star', false],
    [206, 'private', false],
    [302, 'no-store', false],
    [401, 'private', false],
    [404, 'no-store', false],
    [500, 'no-store', false],
    [503, 'private', false],
  ])('%d %s: %s', (status, reason, expected) => {
    expect(takesBack(status, reason)).toBe(expected);
  });
});
