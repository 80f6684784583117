import { describe, expect, test } from 'vitest';
import { exchange, httpDate, NOW } from '../../test/support/times.ts';
import { responseDirectives } from './directives.ts';
import { field, type HeaderList } from './header-list.ts';
import { describe as described, interpret, isDecoded, storableHeaders, tagsOf } from './stored.ts';

const storable = (headers: HeaderList): HeaderList => storableHeaders(headers, responseDirectives(headers));

describe('fields that are not stored (RFC 9111 §3.1)', () => {
  test.each([
    ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding'],
    ...['upgrade', 'age', 'cache-status', 'server-timing', 'cloudflare-cdn-cache-control', 'surrogate-control'],
  ])('%s', (name) => {
    expect(
      storable([
        [name, 'x'],
        ['date', 'y'],
      ]),
    ).toEqual([['date', 'y']]);
  });

  test('what Connection names, and what qualified directives name', () => {
    const cacheControl = 'max-age=60, no-cache="X-A", private="x-b"';
    const headers: HeaderList = [
      ['connection', 'X-Hop'],
      ['x-hop', '1'],
      ['x-a', '2'],
      ['x-b', '3'],
      ['x-c', '4'],
    ];
    expect(storable([...headers, ['cache-control', cacheControl]])).toEqual([
      ['x-c', '4'],
      ['cache-control', cacheControl],
    ]);
  });
});

describe('a body the runtime decoded', () => {
  test.each<[string | undefined, boolean]>([
    [undefined, false],
    ['identity', false],
    ['gzip', true],
    ['br', true],
    // The runtime passes these on as they are.
    ['GZIP', false],
    ['x-gzip', false],
    ['deflate', false],
    ['zstd', false],
    ['gzip, br', false],
  ])('Content-Encoding: %s is undone: %s', (coding, expected) => {
    expect(isDecoded(coding === undefined ? [] : [['content-encoding', coding]])).toBe(expected);
  });

  test.each([
    ['"1"', 'W/"1"'],
    ['W/"1"', 'W/"1"'],
    ['odd', 'odd'],
  ])('has neither the coding’s name nor its length, and the tag %s becomes %s', (etag, shown) => {
    const headers: HeaderList = [
      ['content-encoding', 'gzip'],
      ['content-length', '9'],
      ['etag', etag],
    ];
    expect(storable(headers)).toEqual([['etag', shown]]);
  });
});

test.each(['deflate', 'x-gzip', 'GZIP', 'zstd'])(
  'a body still in %s keeps its label, its length and its tag',
  (coding) => {
    const headers: HeaderList = [
      ['content-encoding', coding],
      ['content-length', '9'],
      ['etag', '"1"'],
    ];
    expect(storable(headers)).toEqual(headers);
  },
);

test.each<[HeaderList, string[]]>([
  [[], []],
  [[['cache-tag', 'post:a, tag:b,,list']], ['post:a', 'tag:b', 'list']],
  [[['surrogate-key', 'a  b']], ['a', 'b']],
  [
    [
      ['cache-tag', 'a,b'],
      ['surrogate-key', 'b c'],
    ],
    ['a', 'b', 'c'],
  ],
  [
    [
      ['cache-tag', 'a'],
      ['cache-tag', 'b'],
    ],
    ['a', 'b'],
  ],
])('tags of %j', (headers, tags) => {
  expect(tagsOf(headers)).toEqual(tags);
});

describe('the description of a response', () => {
  const read = (name: string): string | null => (name === 'accept-language' ? 'DE' : null);
  const of = (headers: HeaderList, status = 200) => {
    const head = { status, headers };
    return described('blog:/', head, exchange, interpret(head, exchange, undefined), read, 4);
  };

  test('holds what every later decision needs', () => {
    const headers: HeaderList = [
      ['cache-control', 'max-age=60'],
      ['vary', 'Accept-Language'],
      ['age', '7'],
      ['etag', '"1"'],
      ['last-modified', httpDate(-9)],
      ['cache-tag', 'list'],
    ];
    expect(of(headers)).toMatchObject({
      key: 'blog:/',
      selection: { names: ['accept-language'], values: ['de'] },
      initialAge: 7,
      responseTime: NOW,
      lifetime: { fresh: 60 },
      validators: { etag: '"1"', lastModified: httpDate(-9) },
      tags: ['list'],
      seq: 4,
    });
  });

  test('survives JSON, which is how the tiers keep it', () => {
    const meta = of([['content-range', 'bytes 0-4/10']], 206);
    expect(JSON.parse(JSON.stringify(meta))).toEqual(meta);
    expect(meta.part).toEqual({ first: 0, last: 4, complete: 10 });
  });

  test('a Content-Range on anything but a 206 means nothing', () => {
    expect(of([['content-range', 'bytes 0-4/10']]).part).toBeUndefined();
  });

  test('asks by the origin’s own tag where the reader sees a weakened one', () => {
    const meta = of([
      ['content-encoding', 'br'],
      ['etag', '"1"'],
    ]);
    expect([meta.validators.etag, field(meta.headers, 'etag')]).toEqual(['"1"', 'W/"1"']);
  });
});
