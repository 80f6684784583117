import { describe, expect, test } from 'vitest';
import { MINUTE, storedMeta } from '../../test/support/stored.ts';
import { NOW } from '../../test/support/times.ts';
import { answerHeaders } from '../engine/answer.ts';
import { field } from '../policy/header-list.ts';
import type { Invalidation } from '../policy/invalidation.ts';
import type { StoredMeta } from '../policy/stored.ts';
import { type PlatformPurge, WorkersCacheStage } from './workers-cache.ts';

const YEAR = 31_536_000;
const stage = new WorkersCacheStage(undefined);
const lifetime = (given: Partial<StoredMeta['lifetime']>): StoredMeta =>
  storedMeta({ lifetime: { ...MINUTE, ...given } });

describe('Cloudflare-CDN-Cache-Control, exactly', () => {
  test.each<[string, StoredMeta | undefined, number, string]>([
    ['the whole lifetime, whatever is left of it: Age says the rest', storedMeta(), 42, 'max-age=60'],
    ['the whole lifetime of what another cache held before', { ...storedMeta(), initialAge: 50 }, 10, 'max-age=60'],
    ['whole seconds', lifetime({ fresh: 60.9 }), 42.9, 'max-age=60'],
    [
      'stale uses as the origin allows them',
      lifetime({ whileRevalidate: 30, ifError: 90 }),
      60,
      'max-age=60, stale-while-revalidate=30, stale-if-error=90',
    ],
    ['an outage of at most a year', lifetime({ ifError: 10 * YEAR }), 60, `max-age=60, stale-if-error=${YEAR}`],
    ['no stale use', lifetime({ noStale: true }), 60, 'max-age=60, must-revalidate'],
    ['no-cache is never the platform’s to answer', lifetime({ always: true, noStale: true }), 60, 'no-store'],
    ['stale', storedMeta(), 0, 'no-store'],
    ['long stale', storedMeta(), -7, 'no-store'],
    ['less than a second', storedMeta(), 0.4, 'no-store'],
    ['nothing that is stored', undefined, 0, 'no-store'],
  ])('%s', (_, stored, ttl, value) => {
    const fields = stage.fields(stored, ttl);
    expect(field(fields, 'cloudflare-cdn-cache-control')).toBe(value);
    expect(JSON.stringify(fields)).not.toContain('s-maxage');
  });
});

/** Seconds of freshness a cache that follows RFC 9111 §4.2 gives an answer, by its fields alone. */
function freshnessLeft(answer: Headers, receivedAt: number): number {
  const maxAge = /max-age=(\d+)/.exec(answer.get('cloudflare-cdn-cache-control') ?? '')?.[1];
  const apparentAge = Math.max(0, (receivedAt - Date.parse(answer.get('date') ?? '')) / 1000);
  return Number(maxAge) - Math.max(apparentAge, Number(answer.get('age')));
}

test.each([0, 1, 18, 59])(
  'a cache in front keeps a page of %d s for the rest of its minute, no less and no more',
  (age) => {
    const now = NOW + age * 1000;
    const stored = storedMeta({ headers: [['date', new Date(NOW).toUTCString()]], responseTime: NOW });
    const answered = { outcome: { hit: true }, age, timing: 'cache', extra: stage.fields(stored, 60 - age) };
    expect(freshnessLeft(answerHeaders(stored.headers, answered, true), now)).toBe(60 - age);
  },
);

describe('Cache-Tag', () => {
  test('the tags of the response, by which the platform purges', () => {
    expect(field(stage.fields(storedMeta({ tags: ['post:a', 'list'] }), 60), 'cache-tag')).toBe('post:a,list');
  });

  test.each<[string, StoredMeta | undefined, number]>([
    ['a response without tags', storedMeta(), 60],
    ['a response that is not to be kept', storedMeta({ tags: ['a'] }), 0],
    ['nothing', undefined, 0],
  ])('none for %s', (_, stored, ttl) => {
    expect(field(stage.fields(stored, ttl), 'cache-tag')).toBeUndefined();
  });
});

describe('purge', () => {
  const calls: [string, PlatformPurge][] = [];
  const taking = (method: string) => async (what: PlatformPurge) => {
    calls.push([method, what]);
    return { success: true, errors: [] };
  };
  const platform = { purge: taking('purge'), invalidate: taking('invalidate') };
  const line = (
    kind: Invalidation['kind'],
    value: string,
    mode: Invalidation['mode'] = 'invalidate',
  ): Invalidation => ({
    seq: 1,
    kind,
    value,
    mode,
  });

  test.each<[string, Invalidation[], [string, PlatformPurge][]]>([
    ['nothing', [], []],
    [
      'tags are invalidated: kept for an outage',
      [line('tag', 'a'), line('tag', 'b')],
      [['invalidate', { tags: ['a', 'b'] }]],
    ],
    ['a take-down is purged', [line('tag', 'a', 'delete')], [['purge', { tags: ['a'] }]]],
    ['prefixes by their path', [line('prefix', 'blog:/posts/')], [['invalidate', { pathPrefixes: ['/posts/'] }]]],
    [
      'URLs as prefixes, without query',
      [line('url', 'blog:/posts/a?x=1')],
      [['invalidate', { pathPrefixes: ['/posts/a'] }]],
    ],
    ['a path with a colon', [line('url', 'blog:/a:b')], [['invalidate', { pathPrefixes: ['/a:b'] }]]],
    ['everything', [line('everything', ''), line('tag', 'a')], [['invalidate', { purgeEverything: true }]]],
    ['everything taken down', [line('everything', '', 'delete')], [['purge', { purgeEverything: true }]]],
    [
      'each kind in a call of its own',
      [line('tag', 'a'), line('url', 'blog:/b')],
      [
        ['invalidate', { tags: ['a'] }],
        ['invalidate', { pathPrefixes: ['/b'] }],
      ],
    ],
    [
      'both modes in two',
      [line('tag', 'a'), line('tag', 'b', 'delete')],
      [
        ['invalidate', { tags: ['a'] }],
        ['purge', { tags: ['b'] }],
      ],
    ],
  ])('%s', async (_, entries, expected) => {
    calls.length = 0;
    await new WorkersCacheStage(platform).purge(entries);
    expect(calls).toEqual(expected);
  });

  test('a refusal of the platform is an error, so that the purge is not acknowledged', async () => {
    const refusing = async () => ({ success: false, errors: [{ code: 1, message: 'rate limited' }] });
    const refused = new WorkersCacheStage({ purge: refusing, invalidate: refusing });
    await expect(refused.purge([line('tag', 'a')])).rejects.toThrow('rate limited');
    const throwing = async () => Promise.reject(new Error('network'));
    const broken = new WorkersCacheStage({ purge: throwing, invalidate: throwing });
    await expect(broken.purge([line('tag', 'a', 'delete')])).rejects.toThrow('network');
  });

  test('where the platform has no cache there is nothing to tell', async () => {
    await stage.purge([line('everything', '')]);
  });
});

test('it keeps nothing itself: every look-up misses', async () => {
  await stage.put();
  await stage.delete();
  expect([stage.name, stage.peek(), await stage.get(), stage.hasVariants()]).toEqual([
    'workers-cache',
    undefined,
    undefined,
    false,
  ]);
});
