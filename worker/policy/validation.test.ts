import { describe, expect, test } from 'vitest';
import { MINUTE, storedMeta } from '../../test/support/stored.ts';
import { exchange, httpDate, NOW } from '../../test/support/times.ts';
import { field, type HeaderList } from './header-list.ts';
import { freshen, isNotModified, selectsStored, validationFields } from './validation.ts';

const head = (headers: HeaderList = [], status = 304) => ({ status, headers });

test.each<[string, { etag?: string; lastModified?: string }, HeaderList]>([
  ['nothing to ask by', {}, []],
  ['by tag', { etag: 'W/"1"' }, [['if-none-match', 'W/"1"']]],
  ['by date', { lastModified: 'x' }, [['if-modified-since', 'x']]],
  [
    'by both',
    { etag: '"1"', lastModified: 'x' },
    [
      ['if-none-match', '"1"'],
      ['if-modified-since', 'x'],
    ],
  ],
])('validation request (RFC 9111 §4.3.1): %s', (_, validators, fields) => {
  expect(validationFields(storedMeta({ validators }))).toEqual(fields);
});

describe('does a 304 speak of the stored response (RFC 9111 §4.3.4)?', () => {
  test.each<[string, HeaderList, { etag?: string; lastModified?: string }, boolean]>([
    ['it names nothing', [], { etag: '"1"' }, true],
    ['the same strong tag', [['etag', '"1"']], { etag: '"1"' }, true],
    ['another strong tag', [['etag', '"2"']], { etag: '"1"' }, false],
    ['the same weak tag', [['etag', 'W/"1"']], { etag: 'W/"1"' }, true],
    ['weak and strong compare weakly', [['etag', 'W/"1"']], { etag: '"1"' }, true],
    ['another weak tag', [['etag', 'W/"2"']], { etag: '"1"' }, false],
    ['the same date', [['last-modified', 'x']], { lastModified: 'x' }, true],
    ['another date', [['last-modified', 'y']], { lastModified: 'x' }, false],
    [
      'the tag counts before the date',
      [
        ['etag', '"1"'],
        ['last-modified', 'y'],
      ],
      { etag: '"1"', lastModified: 'x' },
      true,
    ],
    ['a date where only a tag is stored', [['last-modified', 'y']], { etag: '"1"' }, true],
  ])('%s', (_, headers, validators, expected) => {
    expect(selectsStored(head(headers), storedMeta({ validators }))).toBe(expected);
  });
});

describe('freshening by a 304, or a 200 to HEAD (RFC 9111 §3.2, §4.3.4, §4.3.5)', () => {
  const stored = storedMeta({
    headers: [
      ['content-type', 'text/html'],
      ['content-length', '5'],
      ['cache-control', 'max-age=60'],
      ['etag', '"1"'],
      ['x-old', '1'],
    ],
    validators: { etag: '"1"', lastModified: 'x' },
    initialAge: 50,
    tags: ['a'],
    responseTime: NOW - 90_000,
    seq: 3,
  });
  const freshened = (headers: HeaderList, of = stored) => freshen(of, head(headers), exchange, undefined, 7);

  test('starts its age and sequence anew', () => {
    expect(freshened([['age', '4']])).toMatchObject({ initialAge: 4, responseTime: NOW, seq: 7 });
  });

  test('new fields replace those of the same name, the others stay', () => {
    const { headers } = freshened([
      ['x-new', '2'],
      ['x-old', '3'],
    ]);
    expect([field(headers, 'x-new'), field(headers, 'x-old'), field(headers, 'content-type')]).toEqual([
      '2',
      '3',
      'text/html',
    ]);
  });

  test.each([
    'content-length',
    'content-encoding',
    'content-range',
    'transfer-encoding',
    'set-cookie',
    'connection',
    'age',
  ])('%s of the 304 is not taken over', (name) => {
    expect(field(freshened([[name, 'x']]).headers, name)).toBe(field(stored.headers, name));
  });

  test('fields that a qualified no-cache names are not kept, old or new', () => {
    const { headers } = freshened([
      ['cache-control', 'max-age=9, no-cache="x-old"'],
      ['x-old', '3'],
    ]);
    expect(field(headers, 'x-old')).toBeUndefined();
  });

  test.each<[string, HeaderList, number]>([
    ['silent: the stored lifetime stays', [], 60],
    ['its Cache-Control counts', [['cache-control', 'max-age=9']], 9],
    ['a targeted field counts', [['cdn-cache-control', 'max-age=8']], 8],
    ["Cloudflare's own, which is never stored, counts once", [['cloudflare-cdn-cache-control', 'max-age=7']], 7],
    ['Expires alone stands behind the stored max-age', [['expires', httpDate(5)]], 60],
  ])('lifetime: %s', (_, headers, fresh) => {
    const result = freshened(headers);
    expect(result.lifetime.fresh).toBe(fresh);
    expect(field(result.headers, 'cloudflare-cdn-cache-control')).toBeUndefined();
  });

  test('validators: new ones count, absent ones stay', () => {
    expect(freshened([['etag', 'W/"1"']]).validators).toEqual({ etag: 'W/"1"', lastModified: 'x' });
    expect(freshened([['last-modified', 'y']]).validators).toEqual({ etag: '"1"', lastModified: 'y' });
  });

  test.each<[string, HeaderList, string[]]>([
    ['none sent: they stay', [], ['a']],
    ['Cache-Tag replaces them', [['cache-tag', 'b, c']], ['b', 'c']],
    ['Surrogate-Key does too', [['surrogate-key', 'b c']], ['b', 'c']],
  ])('tags: %s', (_, headers, tags) => {
    expect(freshened(headers).tags).toEqual(tags);
  });

  test('a tag weakened because the stored body was decoded stays weak', () => {
    const decoded = storedMeta({ ...stored, headers: [['etag', 'W/"1"']], validators: { etag: '"1"' } });
    const result = freshened([['etag', '"1"']], decoded);
    expect(field(result.headers, 'etag')).toBe('W/"1"');
    expect(result.validators.etag).toBe('"1"');
  });

  test('leaves the stored response as it was', () => {
    const before = structuredClone(stored);
    freshened([['x-old', '9']]);
    expect(stored).toEqual(before);
  });
});

describe("a reader's preconditions (RFC 9110 §13, RFC 9111 §4.3.2)", () => {
  const asked = (ifNoneMatch: string | null, ifModifiedSince: string | null, headers: HeaderList, status = 200) =>
    isNotModified({ ifNoneMatch, ifModifiedSince }, storedMeta({ headers, status, lifetime: MINUTE }), NOW);
  const tagged = (etag: string): HeaderList => [['etag', etag]];

  test.each<[string, string, HeaderList, boolean]>([
    ['the same', '"1"', tagged('"1"'), true],
    ['another', '"2"', tagged('"1"'), false],
    ['one of several', '"2", "1"', tagged('"1"'), true],
    ['weak comparison, weak sent', 'W/"1"', tagged('"1"'), true],
    ['weak comparison, weak stored', '"1"', tagged('W/"1"'), true],
    ['a comma within a tag', '"a,b"', tagged('"a,b"'), true],
    ['half of a tag with a comma', '"a', tagged('"a,b"'), false],
    ['any', '*', tagged('"1"'), true],
    ['any, of a response without tag', ' * ', [], true],
    ['nothing stored to compare', '"1"', [], false],
    ['unquoted tags of old origins', 'abc', tagged('abc'), true],
    ['opaque tags are compared with care for case', '"A"', tagged('"a"'), false],
  ])('If-None-Match, %s', (_, value, headers, expected) => {
    expect(asked(value, null, headers)).toBe(expected);
  });

  const modified = (at: number): HeaderList => [['last-modified', httpDate(at)]];
  test.each<[string, string, HeaderList, boolean]>([
    ['unchanged since', httpDate(-10), modified(-10), true],
    ['older than that', httpDate(-10), modified(-20), true],
    ['newer', httpDate(-10), modified(-5), false],
    ['Date stands in for Last-Modified', httpDate(-10), [['date', httpDate(-20)]], true],
    ['nothing to compare', httpDate(-10), [], false],
    ['a malformed date is ignored', 'yesterday', modified(-20), false],
    ['the RFC 850 form', 'Friday, 20-Nov-26 11:59:50 GMT', modified(-20), true],
  ])('If-Modified-Since, %s', (_, value, headers, expected) => {
    expect(asked(null, value, headers)).toBe(expected);
  });

  test('If-None-Match decides alone when both are there (RFC 9110 §13.1.3)', () => {
    expect(asked('"2"', httpDate(0), [...tagged('"1"'), ...modified(-20)])).toBe(false);
    expect(asked('"1"', httpDate(-30), [...tagged('"1"'), ...modified(-20)])).toBe(true);
  });

  test.each([203, 204, 301, 404, 206])('only a 200 becomes a 304, not a %d', (status) => {
    expect(asked('"1"', null, tagged('"1"'), status)).toBe(false);
  });

  test('without conditions there is no 304', () => {
    expect(asked(null, null, tagged('"1"'))).toBe(false);
  });
});
