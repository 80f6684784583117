import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerFields, fillFields, forwardAll, forwardKeyed, forwardPassed, isLoop } from './forward.ts';
import { field, type HeaderList } from './header-list.ts';

const UPSTREAM = { url: 'http://10.0.0.2:3000', publicOrigin: 'https://blog.example.com' };
const CLIENT = { ownRequestId: 'own-request-1', address: '192.0.2.7', requestId: 'request-1', cdnLoop: null };
const names = (headers: HeaderList): string[] => headers.map(([name]) => name);

/** What a hostile client may send to be believed, or to reach past the next hop. */
const CLAIMS = [
  ...['host', 'scheme', 'proto', 'port', 'prefix', 'server', 'ssl', 'for', 'anything'].map((x) => `x-forwarded-${x}`),
  ...['forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'x-host', 'x-original-url', 'x-original-host'],
  ...['x-rewrite-url', 'x-http-method', 'x-http-method-override', 'x-http-path-override', 'x-http-host-override'],
  ...['x-http-destinationurl', 'x-method-override', 'x-middleware-subrequest', 'cf-connecting-ip', 'cf-ray', 'via'],
  'cf-access-jwt-assertion',
];
const HOPS = [
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
  'host',
];
const hostile: HeaderList = [...CLAIMS, ...HOPS, 'transfer-encoding', 'expect'].map((name) => [name, 'evil'] as const);

describe('a request that is passed through', () => {
  test('keeps its own fields', () => {
    const own: HeaderList = [
      ['cookie', 'session=1'],
      ['authorization', 'x'],
      ['accept', 'y'],
      ['x-app', 'z'],
      ['range', 'r'],
    ];
    const sent = forwardPassed(own, UPSTREAM, CLIENT);
    for (const [name, value] of own) expect(field(sent, name)).toBe(value);
  });

  test('says who asks, for what, and that it came this way', () => {
    expect(forwardPassed(hostile, UPSTREAM, CLIENT)).toEqual([
      ['x-forwarded-for', '192.0.2.7'],
      ['x-forwarded-host', 'blog.example.com'],
      ['x-forwarded-proto', 'https'],
      ['via', '1.1 porchlight'],
      ['cdn-loop', 'porchlight'],
      ['x-request-id', 'request-1'],
    ]);
  });

  test('names no address where none is known', () => {
    expect(names(forwardPassed([], UPSTREAM, { ...CLIENT, address: undefined }))).not.toContain('x-forwarded-for');
  });

  test('appends to CDN-Loop (RFC 8586 §2)', () => {
    const sent = forwardPassed([['cdn-loop', 'a, b']], UPSTREAM, { ...CLIENT, cdnLoop: 'a, b' });
    expect(field(sent, 'cdn-loop')).toBe('a, b, porchlight');
  });

  test('loses what Connection names (RFC 9110 §7.6.1)', () => {
    const sent = forwardPassed(
      [
        ['connection', 'close, X-Secret'],
        ['x-secret', '1'],
        ['x-kept', '2'],
      ],
      UPSTREAM,
      CLIENT,
    );
    expect(field(sent, 'x-secret')).toBeUndefined();
    expect(field(sent, 'x-kept')).toBe('2');
  });
});

describe('a fill', () => {
  test('with keyed forwarding: constants and the keyed fields, nothing else of the client', () => {
    expect(forwardKeyed([])).toEqual([
      ['accept', '*/*'],
      ['accept-encoding', 'gzip'],
    ]);
    expect(
      forwardKeyed([
        ['accept-language', 'de'],
        ['x-absent', null],
      ]),
    ).toEqual([
      ['accept', '*/*'],
      ['accept-encoding', 'gzip'],
      ['accept-language', 'de'],
    ]);
  });

  test('with all forwarding: end-to-end fields without the reader’s conditions', () => {
    const conditions = ['if-none-match', 'if-modified-since', 'if-range', 'range', 'if-match', 'if-unmodified-since'];
    const given: HeaderList = [
      ...hostile,
      ...conditions.map((name) => [name, 'x'] as const),
      ['accept', 'y'],
      ['cookie', 'z'],
    ];
    expect(forwardAll(given)).toEqual([
      ['accept', 'y'],
      ['cookie', 'z'],
    ]);
  });

  test('carries this proxy’s fields but not the address: it is not keyed', () => {
    const fields = fillFields(UPSTREAM, CLIENT);
    expect(names(fields)).toEqual(['x-forwarded-host', 'x-forwarded-proto', 'via', 'cdn-loop', 'x-request-id']);
    expect(JSON.stringify(fields)).not.toContain('192.0.2.7');
  });

  test('a port and a closing slash of the public origin', () => {
    const fields = fillFields({ ...UPSTREAM, publicOrigin: 'http://localhost:8787/' }, CLIENT);
    expect(fields.slice(0, 2)).toEqual([
      ['x-forwarded-host', 'localhost:8787'],
      ['x-forwarded-proto', 'http'],
    ]);
  });
});

test.each<[string | null, boolean]>([
  [null, false],
  ['', false],
  ['other', false],
  ['porchlight', true],
  ['other, porchlight', true],
  ['other, porchlight; v=1', true],
  ['porchlight2', false],
  ['other; x=porchlight', false],
])('loop (RFC 8586) in "%s": %s', (value, expected) => {
  expect(isLoop(value)).toBe(expected);
});

test('an answer loses hops and what is meant for caches only', () => {
  const headers: HeaderList = [
    ['connection', 'x-hop'],
    ['x-hop', '1'],
    ['transfer-encoding', 'chunked'],
    ['cloudflare-cdn-cache-control', 'max-age=9'],
    ['surrogate-control', 'x'],
    ['cache-control', 'no-store'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ];
  expect(answerFields(headers)).toEqual([
    ['cache-control', 'no-store'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]);
});

test('property: no claim of a client reaches the origin under any mode', () => {
  const given = fc.array(fc.tuple(fc.constantFrom(...CLAIMS, 'cdn-loop', 'accept'), fc.constant('evil')));
  fc.assert(
    fc.property(given, (headers) => {
      const sent = [...forwardPassed(headers, UPSTREAM, CLIENT), ...forwardAll(headers)];
      expect(sent.filter(([name, value]) => value === 'evil' && name !== 'accept')).toEqual([]);
    }),
  );
});
