import { describe, expect, test } from 'vitest';
import { storedResponse } from '../../test/support/stored.ts';
import { ColoTier } from '../tiers/colo.ts';
import { MemoryTier } from '../tiers/memory.ts';
import { OwnStage } from './own.ts';

const none = (): null => null;
const PAGE = storedResponse({ key: 'blog:/a', tags: ['post:a', 'list'] });

/** The part of the Cache API the tier uses, over a Map. */
class MapCache {
  readonly stored = new Map<string, Response>();
  readonly match = async (url: string) => this.stored.get(url)?.clone();
  readonly put = async (url: string, response: Response) => void this.stored.set(url, response);
  readonly delete = async (url: string) => this.stored.delete(url);
}

function setUp(cache: unknown = new MapCache()) {
  const errors: unknown[] = [];
  const memory = new MemoryTier({ maxBytes: 100_000, maxEntryBytes: 50_000 });
  const colo = new ColoTier(Promise.resolve(cache) as ConstructorParameters<typeof ColoTier>[0], 'https://blog.test');
  return { stage: new OwnStage(memory, colo, (error) => errors.push(error)), memory, colo, errors };
}

describe('memory over the data centre’s cache', () => {
  test('put reaches both, peek asks memory, get the data centre', async () => {
    const { stage, memory } = setUp();
    await stage.put(PAGE);
    expect(stage.peek('blog:/a', none)).toBe(PAGE);
    expect(stage.hasVariants('blog:/a')).toBe(true);
    await memory.delete('blog:/a');
    expect(stage.peek('blog:/a', none)).toBeUndefined();
    expect(await stage.get('blog:/a', none)).toEqual(PAGE);
  });

  test('delete reaches both', async () => {
    const { stage } = setUp();
    await stage.put(PAGE);
    await stage.delete('blog:/a');
    expect([stage.peek('blog:/a', none), await stage.get('blog:/a', none)]).toEqual([undefined, undefined]);
  });

  test('a part of a page stays in memory', async () => {
    const { stage } = setUp();
    await stage.put({ ...PAGE, part: { first: 0, last: 4, complete: 10 } });
    expect(stage.peek('blog:/a', none)).toBeDefined();
    expect(await stage.get('blog:/a', none)).toBeUndefined();
  });

  test('adds no fields for a cache in front, and has none to tell', async () => {
    const { stage } = setUp();
    expect(stage.fields()).toEqual([]);
    await stage.purge();
  });
});

test('the data centre’s copy lies at a URL of the site, with its tags, where zone purge reaches it', async () => {
  const cache = new MapCache();
  await setUp(cache).stage.put(PAGE);
  const [[url, response] = []] = [...cache.stored];
  expect(url).toBe('https://blog.test/.porchlight/cache/blog%3A%2Fa');
  expect(response?.headers.get('cache-tag')).toBe('post:a,list');
  expect(response?.headers.get('cache-control')).toBe('max-age=86400');
});

test('a data centre’s cache that fails is a miss and a report, never an error for a reader', async () => {
  const failing = async () => Promise.reject(new Error('cache down'));
  const { stage, errors } = setUp({ match: failing, put: failing, delete: failing });
  await stage.put(PAGE);
  expect(stage.peek('blog:/a', none)).toBe(PAGE);
  expect(await stage.get('blog:/a', none)).toBeUndefined();
  await stage.delete('blog:/a');
  expect(errors.map(String)).toEqual(Array(3).fill('Error: cache down'));
});
