import { describe, expect, it } from 'vitest';
import { evaluate } from './conditional.ts';

const MODIFIED = Date.UTC(2026, 10, 20, 12, 0, 0, 700);
const SAME = 'Fri, 20 Nov 2026 12:00:00 GMT';
const EARLIER = 'Fri, 20 Nov 2026 11:59:59 GMT';
const LATER = 'Fri, 20 Nov 2026 12:00:01 GMT';

describe('preconditions, RFC 9110 §13.2.2', () => {
  it.each([
    ['nothing asked', {}, 'send'],
    ['the same tag', { 'if-none-match': '"abc"' }, 'not-modified'],
    ['the same tag, weak', { 'if-none-match': 'W/"abc"' }, 'not-modified'],
    ['one of several', { 'if-none-match': '"x", W/"y,z" , "abc"' }, 'not-modified'],
    ['any', { 'if-none-match': '*' }, 'not-modified'],
    ['another tag', { 'if-none-match': '"abcd"' }, 'send'],
    ['a tag inside another', { 'if-none-match': '"x\\"abc"' }, 'send'],
    ['an unquoted tag', { 'if-none-match': 'abc' }, 'send'],
    ['an empty list', { 'if-none-match': '' }, 'send'],
    ['the same second', { 'if-modified-since': SAME }, 'not-modified'],
    ['a later second', { 'if-modified-since': LATER }, 'not-modified'],
    ['an earlier second', { 'if-modified-since': EARLIER }, 'send'],
    ['a bad date', { 'if-modified-since': 'yesterday' }, 'send'],
    ['a date in another form', { 'if-modified-since': '2030-01-01' }, 'send'],
    ['the tag beats the date', { 'if-none-match': '"x"', 'if-modified-since': LATER }, 'send'],
    ['a fitting If-Match', { 'if-match': '"abc"' }, 'send'],
    ['If-Match any', { 'if-match': '*' }, 'send'],
    ['another If-Match', { 'if-match': '"x"' }, 'failed'],
    ['a weak If-Match', { 'if-match': 'W/"abc"' }, 'failed'],
    ['unmodified since', { 'if-unmodified-since': SAME }, 'send'],
    ['modified since', { 'if-unmodified-since': EARLIER }, 'failed'],
    ['If-Match beats If-Unmodified-Since', { 'if-match': '"abc"', 'if-unmodified-since': EARLIER }, 'send'],
    ['If-Match passes on to If-None-Match', { 'if-match': '"abc"', 'if-none-match': '"abc"' }, 'not-modified'],
  ] as const)('%s', (_, headers, action) => {
    expect(evaluate(new Headers(headers), { etag: '"abc"', lastModified: MODIFIED }).action).toBe(action);
  });
});
