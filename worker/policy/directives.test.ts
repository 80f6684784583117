import { describe, expect, test } from 'vitest';
import { type ResponseDirectives, responseDirectives, unstorableFields } from './directives.ts';
import type { HeaderList } from './header-list.ts';

const cc = (value: string): HeaderList => [['cache-control', value]];

describe('Cache-Control (RFC 9111 §5.2.2)', () => {
  test.each<[string, Partial<ResponseDirectives>]>([
    ['max-age=60', { maxAge: 60 }],
    ['s-maxage=10, max-age=60', { sMaxage: 10, maxAge: 60 }],
    ['max-age=abc', { maxAge: 0 }],
    ['max-age=-1', { maxAge: 0 }],
    ['max-age', { maxAge: 0 }],
    ['max-age=0, max-age=60', { maxAge: 0 }],
    ['no-store', { noStore: true }],
    ['no-cache', { noCache: true }],
    ['no-cache="Set-Cookie, X-A"', { noCache: ['set-cookie', 'x-a'] }],
    ['private', { private: true }],
    ['private="X-A"', { private: ['x-a'] }],
    ['public, must-revalidate', { public: true, mustRevalidate: true }],
    ['proxy-revalidate', { proxyRevalidate: true }],
    ['must-understand, no-store', { mustUnderstand: true, noStore: true }],
    ['stale-while-revalidate=30, stale-if-error=90', { staleWhileRevalidate: 30, staleIfError: 90 }],
    ['immutable, unknown=1', {}],
  ])('%s', (value, expected) => {
    expect(responseDirectives(cc(value))).toEqual({
      source: 'cache-control',
      noStore: false,
      noCache: false,
      private: false,
      public: false,
      mustRevalidate: false,
      proxyRevalidate: false,
      mustUnderstand: false,
      ...expected,
    });
  });

  test('field lines combine (RFC 9110 §5.3)', () => {
    const { noStore, maxAge } = responseDirectives([...cc('max-age=60'), ...cc('no-store')]);
    expect({ noStore, maxAge }).toEqual({ noStore: true, maxAge: 60 });
  });
});

describe('precedence of targeted fields (RFC 9213 §2.2)', () => {
  const both = (cdn: string | undefined, cloudflare?: string): HeaderList => [
    ...cc('max-age=1'),
    ...(cdn === undefined ? [] : ([['cdn-cache-control', cdn]] as const)),
    ...(cloudflare === undefined ? [] : ([['cloudflare-cdn-cache-control', cloudflare]] as const)),
  ];
  test.each<[string, HeaderList, ResponseDirectives['source'], number | undefined]>([
    ['nothing', [], 'none', undefined],
    ['only Cache-Control', both(undefined), 'cache-control', 1],
    ['CDN-Cache-Control over Cache-Control', both('max-age=2'), 'cdn-cache-control', 2],
    ['the most specific one first', both('max-age=2', 'max-age=3'), 'cloudflare-cdn-cache-control', 3],
    ['an empty field is ignored', both(''), 'cache-control', 1],
    ['a field that does not parse is ignored', both('max-age=2, &&&'), 'cache-control', 1],
    ['upper-case keys do not parse', both('Max-Age=2'), 'cache-control', 1],
    ['the next one stands in for one that does not parse', both('max-age=2', 'max-age=3,'), 'cdn-cache-control', 2],
    ['a valid one without freshness still replaces', both('no-cache'), 'cdn-cache-control', undefined],
    ['an unknown directive still replaces', both('none'), 'cdn-cache-control', undefined],
    ['of equal keys the last counts', both('max-age=2, max-age=4'), 'cdn-cache-control', 4],
    ['parameters are ignored', both('max-age=2;max-age=9'), 'cdn-cache-control', 2],
    ['a value of another type is ignored', both('max-age="2"'), 'cdn-cache-control', undefined],
    ['a decimal is no number of seconds', both('max-age=2.5'), 'cdn-cache-control', undefined],
    ['a negative number is stale', both('max-age=-2'), 'cdn-cache-control', 0],
    ['without a value it is stale', both('max-age'), 'cdn-cache-control', 0],
  ])('%s', (_, headers, source, maxAge) => {
    const read = responseDirectives(headers);
    expect([read.source, read.maxAge]).toEqual([source, maxAge]);
  });

  test('a false boolean does not switch a directive on', () => {
    expect(responseDirectives(both('no-store=?0, public=?1'))).toMatchObject({ noStore: false, public: true });
  });

  test('no-store in Cache-Control does not reach past a targeted field', () => {
    const headers: HeaderList = [...cc('no-store, private'), ['cdn-cache-control', 'max-age=60']];
    expect(responseDirectives(headers)).toMatchObject({ noStore: false, private: false, maxAge: 60 });
  });
});

test('fields named by qualified directives are not stored (RFC 9111 §5.2.2.4, §5.2.2.7)', () => {
  expect(unstorableFields(responseDirectives(cc('no-cache="a", private="B, c"')))).toEqual(['a', 'b', 'c']);
  expect(unstorableFields(responseDirectives(cc('no-cache, private')))).toEqual([]);
});
