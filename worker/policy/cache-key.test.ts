import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TRACKING_PARAMETERS } from '../../shared/site.ts';
import { canonicalTarget, nameMatcher, withKeyedFields } from './cache-key.ts';

const isTracking = nameMatcher(TRACKING_PARAMETERS);
const target = (text: string): string => {
  const { pathname, search } = new URL(`http://blog.invalid${text}`);
  const found = canonicalTarget('blog', pathname, search, isTracking);
  expect(found.key).toBe(`blog:${found.path}${found.search}`);
  return found.path + found.search;
};

test.each<[string, boolean]>([
  ['utm_source', true],
  ['utm_', true],
  ['utm', false],
  ['fbclid', true],
  ['fbclid2', false],
  ['UTM_source', false],
  ['', false],
])('names: is "%s" a tracking parameter? %s', (name, expected) => {
  expect(isTracking(name)).toBe(expected);
});

describe('paths: equal escapes are written one way (RFC 3986 §6.2.2)', () => {
  test.each<[string, string]>([
    ['/', '/'],
    ['/a/../b', '/b'],
    ['/a/%2e%2E/b', '/b'],
    ['/%61%7e%2D', '/a~-'],
    ['/a%2fb', '/a%2Fb'],
    ['/a%2Fb', '/a%2Fb'],
    ['/%c3%bc', '/%C3%BC'],
    ['/ü', '/%C3%BC'],
    ['/a%20b', '/a%20b'],
    ['/a b', '/a%20b'],
    ['/%00', '/%00'],
    ['/x%3bp', '/x%3Bp'],
    ['/x;p', '/x;p'],
    ['/A', '/A'],
    ['//a//b/', '//a//b/'],
    ['/x.css%23', '/x.css%23'],
    ['/..%2fx', '/..%2Fx'],
    ['/100%', '/100%25'],
    ['/%zz', '/%25zz'],
    ['/%%37%35', '/%2575'],
    ['/%2575', '/%2575'],
  ])('%s -> %s', (given, canonical) => {
    expect(target(given)).toBe(canonical);
  });
});

describe('queries: sorted by name, without tracking parameters', () => {
  test.each<[string, string]>([
    ['/?', '/'],
    ['/?&&', '/'],
    ['/?b=2&a=1', '/?a=1&b=2'],
    ['/?a=2&a=1', '/?a=2&a=1'],
    ['/?a&a=', '/?a&a='],
    ['/?utm_source=x&a=1&fbclid=y', '/?a=1'],
    ['/?utm_source', '/'],
    ['/?a=utm_source', '/?a=utm_source'],
    ['/?utm_content=x;cb=evil', '/'],
    ['/?a=1;utm_source=x', '/?a=1;utm_source=x'],
    ['/?%75tm_source=x', '/'],
    ['/?%7a=1&b=2', '/?b=2&z=1'],
    ['/?a=%2f', '/?a=%2F'],
    ['/?a=+', '/?a=+'],
    ['/?q=100%', '/?q=100%25'],
    ['/?=x', '/?=x'],
    ['/?a=1?utm_source=x', '/?a=1?utm_source=x'],
  ])('%s -> %s', (given, canonical) => {
    expect(target(given)).toBe(canonical);
  });
});

describe('properties', () => {
  const text = fc.string({ unit: fc.constantFrom(...'aZ0-._~%27bfFe/;=+?ü\u0000 '), maxLength: 12 });
  const name = fc.oneof(fc.constantFrom('utm_x', 'fbclid', '%75tm_x', 'page', 'q', '%71'), text);
  const url = fc.tuple(text, fc.array(fc.tuple(name, text))).map(([path, pairs]) => {
    const query = pairs.map((pair) => pair.join('=')).join('&');
    return `/${path.replaceAll('?', '')}?${query}`;
  });

  test('canonical form is final: applying it again changes nothing', () => {
    fc.assert(
      fc.property(url, (given) => {
        const once = target(given);
        expect(target(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  test('no parameter is lost but tracking ones, none is made up, values keep their order', () => {
    const word = fc.stringMatching(/^[a-z_]{1,6}$/);
    const pairs = fc.array(fc.tuple(fc.oneof(word, fc.constantFrom('utm_a', 'gclid')), word));
    fc.assert(
      fc.property(pairs, (given) => {
        const kept = new URLSearchParams(target(`/?${given.map((pair) => pair.join('=')).join('&')}`).slice(2));
        for (const one of new Set(given.map(([key]) => key))) {
          const values = given.filter(([key]) => key === one).map(([, value]) => value);
          expect(kept.getAll(one)).toEqual(isTracking(one) ? [] : values);
        }
        expect([...kept.keys()]).toEqual([...kept.keys()].sort());
      }),
    );
  });

  test('the order of parameters of different names has no meaning', () => {
    const pairs = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z%1-6]{1,4}$/), fc.nat(9)), {
      selector: ([key]) => target(`/?${key}=`),
    });
    fc.assert(
      fc.property(pairs, (given) => {
        const query = (all: typeof given): string => target(`/?${all.map((pair) => pair.join('=')).join('&')}`);
        expect(query([...given].reverse())).toBe(query(given));
      }),
    );
  });

  test('it means the same to the origin: what a decoder reads stays', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const { pathname } = new URL(`http://blog.invalid${path}`);
        const decoded = canonicalTarget('blog', pathname, '', isTracking).path;
        expect(decodeURIComponent(decoded)).toBe(decodeURIComponent(pathname));
      }),
    );
  });
});

describe('keyed request fields are part of the key', () => {
  test.each<[string, [string, string | null][], string]>([
    ['none present', [['accept-language', null]], 'blog:/'],
    ['one', [['accept-language', 'de']], 'blog:/#h=accept-language:de'],
    [
      'two',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      'blog:/#h=a:1&b:2',
    ],
    ['an empty one is not an absent one', [['a', '']], 'blog:/#h=a:'],
    ['what would break out is escaped', [['a', '1&b:2#x']], 'blog:/#h=a:1%26b%3A2%23x'],
  ])('%s', (_, fields, key) => {
    expect(withKeyedFields('blog:/', fields)).toBe(key);
  });

  test('property: different values never share a key', () => {
    const value = fc.option(fc.string({ unit: fc.constantFrom('a', '&', ':', '#', '%', '=') }), { nil: null });
    const values = fc.tuple(value, value);
    const key = ([a, b]: [string | null, string | null]): string =>
      withKeyedFields('k', [
        ['a', a],
        ['b', b],
      ]);
    fc.assert(
      fc.property(values, values, (one, other) => {
        expect(key(one) === key(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});
