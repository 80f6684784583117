import { describe, expect, it } from 'vitest';
import { cacheControl, cacheTags } from './cache-headers.ts';
import { strongEtag } from './etag.ts';
import { makePage, respond } from './respond.ts';

const NOW = Date.UTC(2026, 10, 20);
const parts = { status: 200, body: 'Hello', type: 'text/html', cache: 'page', tags: 'list' } as const;
const page = makePage({ ...parts, modified: NOW - 5_000 });

describe('Cache-Control', () => {
  it.each([
    ['page', 'public, max-age=60, stale-while-revalidate=86400, stale-if-error=2592000'],
    ['immutable', 'public, max-age=31536000, immutable'],
    ['stable-asset', 'public, max-age=300, stale-while-revalidate=86400, stale-if-error=2592000'],
    ['missing', 'public, max-age=10'],
    ['redirect', 'public, max-age=300'],
    ['never', 'no-store'],
  ] as const)('%s: %s', (kind, field) => {
    expect(cacheControl(kind)).toBe(field);
  });
});

describe('Cache-Tag', () => {
  it.each([
    ['a post', { post: 'hello', tags: ['b', 'a'] }, 'post:hello,tag:a,tag:b'],
    ['a listing', { list: true, tags: ['a', 'b', 'a'] }, 'list,tag:a,tag:b'],
    ['nothing', {}, ''],
    ['a name that could forge another tag', { tags: ['a,list', 'ok'] }, 'tag:ok'],
    ['a slug that could split the header', { post: 'a\r\nSet-Cookie: x' }, ''],
    ['a picture', { image: 'a b,c/d.svg' }, 'image:a_b_c/d.svg'],
  ])('%s', (_, shown, field) => {
    expect(cacheTags(shown)).toBe(field);
  });
});

describe('a response', () => {
  it('carries validators, lifetime, tags and length', async () => {
    const response = respond(page, new Headers(), NOW);
    expect(await response.text()).toBe('Hello');
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': cacheControl('page'),
      'cache-tag': 'list',
      'content-length': '5',
      'content-type': 'text/html',
      etag: strongEtag(new TextEncoder().encode('Hello')),
      'last-modified': 'Thu, 19 Nov 2026 23:59:55 GMT',
      'x-content-type-options': 'nosniff',
    });
  });

  it('as 304 carries what a cache needs to renew its copy, and no body', async () => {
    const response = respond(page, new Headers({ 'if-none-match': page.etag }), NOW);
    expect([response.status, await response.text()]).toEqual([304, '']);
    expect([...response.headers.keys()]).toEqual([
      'cache-control',
      'cache-tag',
      'etag',
      'last-modified',
      'x-content-type-options',
    ]);
  });

  it('as 412 is not to be stored', () => {
    const response = respond(page, new Headers({ 'if-match': '"other"' }), NOW);
    expect([response.status, response.headers.get('cache-control')]).toEqual([412, 'no-store']);
  });

  it('never claims a modification in the future', () => {
    const response = respond(makePage({ ...parts, modified: NOW + 60_000 }), new Headers(), NOW);
    expect(response.headers.get('last-modified')).toBe('Fri, 20 Nov 2026 00:00:00 GMT');
  });

  it('that is missing has no validator and answers no condition', () => {
    const missing = makePage({ ...parts, status: 404, cache: 'missing' });
    const response = respond(missing, new Headers({ 'if-none-match': '*' }), NOW);
    expect([response.status, response.headers.has('etag')]).toEqual([404, false]);
  });
});

it('an ETag is strong, and equal exactly when the bytes are', () => {
  const tag = (text: string) => strongEtag(new TextEncoder().encode(text));
  expect(tag('a')).toMatch(/^"[\w-]{27}"$/);
  expect(tag('a')).toBe(tag('a'));
  expect(tag('a')).not.toBe(tag('b'));
});
