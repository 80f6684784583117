import { describe, expect, test } from 'vitest';
import { BYPASS_COOKIES } from '../../shared/site.ts';
import { nameMatcher } from './cache-key.ts';
import { classify, cookieNames, type ForwardMode, onlyIfCached, type RequestClass } from './request.ts';

const classified = (method: string, fields: Record<string, string> = {}, mode: ForwardMode = 'keyed'): RequestClass =>
  classify(method, (name) => fields[name] ?? null, mode, nameMatcher(BYPASS_COOKIES));

describe('methods (RFC 9110 §9.2.1): unsafe ones invalidate, safe ones pass', () => {
  test.each<[string, RequestClass]>([
    ['GET', { kind: 'storable', method: 'GET' }],
    ['HEAD', { kind: 'storable', method: 'HEAD' }],
    ['OPTIONS', { kind: 'method', unsafe: false }],
    ['TRACE', { kind: 'method', unsafe: false }],
    ['PROPFIND', { kind: 'method', unsafe: false }],
    ['POST', { kind: 'method', unsafe: true }],
    ['PUT', { kind: 'method', unsafe: true }],
    ['PATCH', { kind: 'method', unsafe: true }],
    ['DELETE', { kind: 'method', unsafe: true }],
    ['MKCOL', { kind: 'method', unsafe: true }],
    ['get', { kind: 'method', unsafe: true }],
  ])('%s', (method, expected) => {
    expect(classified(method)).toEqual(expected);
    expect(classified(method, { cookie: 'session=1' }).kind).toBe(expected.kind === 'storable' ? 'bypass' : 'method');
  });
});

describe('a GET that is not the cache’s business', () => {
  test.each<[string, Record<string, string>, string]>([
    ['a session cookie', { cookie: 'theme=dark; session=abc' }, 'cookie'],
    ['a cookie by its beginning', { cookie: 'wordpress_logged_in_1234=x' }, 'cookie'],
    ['a cookie without value', { cookie: 'sid' }, 'cookie'],
    ['Authorization', { authorization: 'Basic eA==' }, 'authorization'],
    ['a body by length', { 'content-length': '3' }, 'body'],
    ['a body of unknown length', { 'transfer-encoding': 'chunked' }, 'body'],
    ['an upgrade', { upgrade: 'websocket' }, 'upgrade'],
    ['If-Match', { 'if-match': '"1"' }, 'precondition'],
    ['If-Unmodified-Since', { 'if-unmodified-since': 'x' }, 'precondition'],
    ['an event stream', { accept: 'text/event-stream' }, 'event-stream'],
  ])('%s', (_, fields, reason) => {
    expect(classified('GET', fields)).toEqual({ kind: 'bypass', reason });
    expect(classified('HEAD', fields)).toEqual({ kind: 'bypass', reason });
  });
});

describe('a GET that is', () => {
  test.each<[string, Record<string, string>]>([
    ['an ordinary cookie', { cookie: 'theme=dark; visited=1' }],
    ['a name that only begins like one', { cookie: 'sessions=1; sid2=2' }],
    ['a value that looks like one', { cookie: 'theme=session' }],
    ['no body', { 'content-length': '0' }],
    ['Cache-Control of the reader', { 'cache-control': 'no-cache, no-store' }],
    ['Pragma', { pragma: 'no-cache' }],
    ['conditions and ranges', { 'if-none-match': '"1"', range: 'bytes=0-1' }],
  ])('%s', (_, fields) => {
    expect(classified('GET', fields)).toEqual({ kind: 'storable', method: 'GET' });
  });

  test('with all fields forwarded the response says whether an authorised answer is shared (RFC 9111 §3.5)', () => {
    expect(classified('GET', { authorization: 'x' }, 'all')).toEqual({ kind: 'storable', method: 'GET' });
    expect(classified('GET', { cookie: 'session=1' }, 'all')).toEqual({ kind: 'bypass', reason: 'cookie' });
  });
});

test.each([
  ['a=1', ['a']],
  ['a=1; b=2;c', ['a', 'b', 'c']],
  ['a=b=c', ['a']],
  ['', ['']],
])('names of the cookies in "%s"', (value, names) => {
  expect(cookieNames(value)).toEqual(names);
});

test.each<[string | null, boolean]>([
  [null, false],
  ['only-if-cached', true],
  ['max-age=0, Only-If-Cached', true],
  ['max-age=0,only-if-cached,no-store', true],
  ['only-if-cached-not', false],
  ['x-only-if-cached', false],
  ['no-cache', false],
])('only-if-cached (RFC 9111 §5.2.1.7) in "%s": %s', (value, expected) => {
  expect(onlyIfCached(value)).toBe(expected);
});
