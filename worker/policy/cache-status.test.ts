import { expect, test } from 'vitest';
import { type CacheOutcome, cacheStatus } from './cache-status.ts';

test.each<[CacheOutcome, string]>([
  [{}, 'porchlight'],
  [{ hit: true, ttl: 59, detail: 'memory' }, 'porchlight; hit; ttl=59; detail=memory'],
  [{ hit: true, ttl: -3.2 }, 'porchlight; hit; ttl=-4'],
  [
    { fwd: 'uri-miss', fwdStatus: 200, stored: true, ttl: 60 },
    'porchlight; fwd=uri-miss; fwd-status=200; ttl=60; stored',
  ],
  [{ fwd: 'stale', fwdStatus: 304, collapsed: true }, 'porchlight; fwd=stale; fwd-status=304; collapsed'],
  [{ fwd: 'bypass', detail: 'cookie' }, 'porchlight; fwd=bypass; detail=cookie'],
  [{ stored: false, collapsed: false, hit: false }, 'porchlight'],
  [{ detail: 'not-stored:set-cookie' }, 'porchlight; detail=not-stored:set-cookie'],
  [{ detail: 'two words' }, 'porchlight; detail="two words"'],
  [{ detail: 'a "quote" \\' }, 'porchlight; detail="a \\"quote\\" \\\\"'],
  [{ detail: '' }, 'porchlight; detail=""'],
  [{ detail: '5xx' }, 'porchlight; detail="5xx"'],
])('RFC 9211 §2: %j', (outcome, expected) => {
  expect(cacheStatus(outcome)).toBe(expected);
});
