import { describe, expect, test } from 'vitest';
import { PurgeRequest } from '../../shared/contract/purge.ts';
import { backoff, retryAfterMs } from './backoff.ts';
import { complaintOf } from './cloudflare-errors.ts';
import { planZonePurges } from './cloudflare-plan.ts';
import { planPurges, planWarming, type QueuedPurge } from './purge-plan.ts';
import { rolloutPurge } from './rollout-purge.ts';
import { take } from './token-bucket.ts';

const queue = (...bodies: object[]): QueuedPurge[] =>
  bodies.map((body, index) => ({ seq: index + 1, body: PurgeRequest.parse(body) }));

describe('joining purges', () => {
  test.each<[string, object[], number, object]>([
    ['one', [{ tags: ['a'] }], 1, { tags: ['a'] }],
    [
      'neighbours of one mode, each item once',
      [{ tags: ['a', 'b'] }, { tags: ['b'], prefixes: ['/x'] }],
      2,
      { tags: ['a', 'b'], prefixes: ['/x'] },
    ],
    [
      'no further than the other mode',
      [{ tags: ['a'] }, { tags: ['b'], mode: 'delete' }, { tags: ['c'] }],
      1,
      { tags: ['a'], mode: 'invalidate' },
    ],
    [
      'everything swallows what surrounds it',
      [{ tags: ['a'] }, { everything: true }, { tags: ['c'] }],
      3,
      { everything: true, tags: [] },
    ],
    [
      'no more items than a call takes',
      [{ tags: ['a', 'b'] }, { urls: ['https://x/1'] }, { tags: ['c'] }],
      2,
      { tags: ['a', 'b'], urls: ['https://x/1'] },
    ],
  ])('%s', (_name, bodies, purges, call) => {
    expect(planPurges(queue(...bodies), 3)).toMatchObject({ firstSeq: 1, lastSeq: purges, purges, call });
  });

  test('nothing gives nothing, and the plan of a stretch is the plan of its own rows again', () => {
    expect(planPurges([])).toBeNull();
    const whole = queue({ tags: ['a', 'b'] }, { tags: ['b', 'c'] }, { tags: ['d'] });
    const plan = planPurges(whole, 3);
    expect(
      planPurges(
        whole.filter(({ seq }) => seq <= (plan?.lastSeq ?? 0)),
        3,
      ),
    ).toEqual(plan);
  });

  test('warming names each page once', () => {
    const url = 'https://blog.example/1';
    const sitemap = 'https://blog.example/sitemap.xml';
    const plan = planWarming(
      queue(
        { urls: [url], warm: true },
        { tags: ['a'], warm: { urls: [url], sitemap } },
        { tags: ['b'], warm: { sitemap } },
      ),
    );
    expect(plan).toMatchObject({ purges: 3, call: { urls: [url], sitemaps: [sitemap] } });
  });
});

describe('zone purges', () => {
  test('one kind a request, a hundred at a time, prefixes on every host', () => {
    const tags = Array.from({ length: 150 }, (_, index) => `t${index}`);
    const call = { mode: 'invalidate', everything: false, tags, prefixes: ['/posts/'], urls: ['https://a/1'] } as const;
    const plan = planZonePurges(call, ['a', 'b']);
    expect(
      plan.map((part) => Object.entries(part).map(([kind, items]) => `${kind} ${(items as string[]).length}`)[0]),
    ).toEqual(['tags 100', 'tags 51', 'prefixes 2', 'files 1']);
    expect(plan[2]).toEqual({ prefixes: ['a/posts/', 'b/posts/'] });
    expect(planZonePurges({ ...call, everything: true }, [])).toEqual([{ purge_everything: true }]);
  });
});

test.each<[string, number[], string]>([
  ['no code at all', [], 'circumstances'],
  ['a badly formed token', [6003], 'circumstances'],
  ['a badly formed token, said alone', [6111], 'circumstances'],
  ['no such zone', [7003, 7000], 'circumstances'],
  ['a token for something else', [9109], 'circumstances'],
  ['authentication', [10_000], 'circumstances'],
  ['no access to the zone', [1095], 'circumstances'],
  ['a rate', [1102], 'circumstances'],
  ['a plan', [1107], 'circumstances'],
  ['no selector', [1012], 'content'],
  ['files of another zone', [1082, 1082], 'content'],
  ['a tag too long', [1100], 'content'],
  ['the body and the token', [1100, 10_000], 'circumstances'],
  ['the body and something new', [1100, 1234], 'unknown'],
])('what a zone purge is refused for: %s', (_name, codes, complaint) => {
  expect(complaintOf(codes)).toBe(complaint);
});

describe('waiting', () => {
  test.each([
    [1, 0, 0, 125],
    [1, 0.999, 0, 250],
    [4, 0, 0, 1000],
    [100, 0.999, 0, 29_985],
    [1, 0, 5000, 5000],
  ])('after %i failures', (failures, random, asked, expected) => {
    expect(backoff(failures, random, { firstMs: 250, maxMs: 30_000 }, asked)).toBe(expected);
  });

  test.each<[string | null, number]>([
    [null, 0],
    ['3', 3000],
    ['Sat, 21 Nov 2026 12:00:10 GMT', 10_000],
    ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
    ['soon', 0],
    ['99999999', 3_600_000],
  ])('Retry-After: %s', (value, expected) => {
    expect(retryAfterMs(value, Date.parse('2026-11-21T12:00:00Z'))).toBe(expected);
  });

  test('a token bucket gives what was saved up, then one every twelve seconds', () => {
    const policy = { capacity: 2, perMinute: 5 };
    const first = take({ tokens: 2, atMs: 0 }, 0, policy);
    const second = take(first.bucket, 0, policy);
    const third = take(second.bucket, 0, policy);
    expect([first.waitMs, second.waitMs, third.waitMs]).toEqual([0, 0, 12_000]);
    expect(take(third.bucket, 12_000, policy).waitMs).toBe(0);
  });
});

describe('annotations', () => {
  const hosts = ['blog.example'];
  test.each<[string, Record<string, string>, object]>([
    ['tags', { tags: 'a, b' }, { ok: true, purge: { tags: ['a', 'b'], mode: 'invalidate' } }],
    ['everything', { tags: '*' }, { ok: true, purge: { everything: true } }],
    ['prefixes', { prefixes: '/posts/' }, { ok: true, purge: { prefixes: ['/posts/'] } }],
    [
      'pages and a sitemap to warm, a stranger not',
      { tags: 'a', warm: 'https://blog.example/, https://blog.example/sitemap.xml, https://evil.example/' },
      {
        ok: true,
        purge: { warm: { urls: ['https://blog.example/'], sitemap: 'https://blog.example/sitemap.xml' } },
        ignoredWarm: ['https://evil.example/'],
      },
    ],
    ['none', {}, { ok: false, problem: expect.stringContaining('porchlight.dev/') }],
    ['a bad tag', { tags: 'a b' }, { ok: false, problem: expect.stringContaining('printable ASCII') }],
  ])('%s', (_name, annotations, expected) => {
    const prefixed = Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`porchlight.dev/${name}`, value]),
    );
    expect(rolloutPurge(prefixed, hosts)).toMatchObject(expected);
  });
});
