import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { storedResponse } from '../../test/support/stored.ts';
import type { StoredResponse } from '../policy/stored.ts';
import { MemoryTier } from './memory.ts';
import { MAX_VARIANTS } from './variants.ts';

const KIB = 1024;
const none = (): null => null;
const sized = (key: string, bytes: number, more: Partial<StoredResponse> = {}): StoredResponse =>
  storedResponse({ key, body: new Uint8Array(bytes), ...more });
/** What one page without body is counted as. */
const FLOOR = (() => {
  const tier = new MemoryTier({ maxBytes: 1e9, maxEntryBytes: 1e9 });
  tier.keep(sized('a', 0));
  return tier.bytes;
})();

describe('bounded by bytes', () => {
  test('bodies and metadata are counted, and given back', async () => {
    const tier = new MemoryTier({ maxBytes: 100 * KIB, maxEntryBytes: 50 * KIB });
    tier.keep(sized('a', 1000));
    expect(tier.bytes).toBe(FLOOR + 1000);
    tier.keep(sized('a', 10));
    expect([tier.bytes, tier.size]).toEqual([FLOOR + 10, 1]);
    await tier.delete('a');
    expect([tier.bytes, tier.size]).toEqual([0, 0]);
  });

  test('large fields and many tags count too', () => {
    const tier = new MemoryTier({ maxBytes: 1e9, maxEntryBytes: 1e9 });
    tier.keep(sized('a', 0, { headers: [['link', 'x'.repeat(50_000)]], tags: ['y'.repeat(50_000)] }));
    expect(tier.bytes).toBeGreaterThan(100_000);
  });

  test('of what is large only the last is kept, and small variants beside it', () => {
    const tier = new MemoryTier({ maxBytes: 100 * KIB, maxEntryBytes: 10 * KIB });
    tier.keep(sized('a', 11 * KIB));
    tier.keep(sized('b', 10));
    expect([tier.has('a'), tier.has('b')]).toEqual([true, true]);
    tier.keep(sized('c', 20 * KIB));
    expect([tier.has('a'), tier.has('b'), tier.peek('c', none)?.body.length]).toEqual([false, true, 20 * KIB]);
    const variant = (value: string, bytes: number) =>
      sized('d', bytes, { selection: { names: ['x'], values: [value] } });
    for (const [value, bytes] of [
      ['small', 10],
      ['one', 30 * KIB],
      ['two', 30 * KIB],
    ] as const)
      tier.keep(variant(value, bytes));
    expect(['small', 'one', 'two'].map((value) => tier.peek('d', () => value) !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('what was large and is small now is kept like all that is small', () => {
    const tier = new MemoryTier({ maxBytes: 100 * KIB, maxEntryBytes: 10 * KIB });
    tier.keep(sized('a', 20 * KIB));
    tier.keep(sized('a', 10));
    tier.keep(sized('b', 20 * KIB));
    expect([tier.has('a'), tier.has('b')]).toEqual([true, true]);
  });

  test('a small variant beside a large one does not hide it from the next large page', () => {
    const tier = new MemoryTier({ maxBytes: 100 * KIB, maxEntryBytes: 10 * KIB });
    const variant = (value: string, bytes: number) =>
      sized('a', bytes, { selection: { names: ['x'], values: [value] } });
    tier.keep(variant('large', 20 * KIB));
    tier.keep(variant('small', 10));
    tier.keep(sized('b', 20 * KIB));
    expect([tier.peek('a', () => 'large'), tier.has('b')]).toEqual([undefined, true]);
  });

  test('what leaves no room for the others is not kept, nor is the older copy it replaces', () => {
    const tier = new MemoryTier({ maxBytes: 100 * KIB, maxEntryBytes: 10 * KIB });
    tier.keep(sized('a', 10));
    tier.keep(sized('a', 91 * KIB));
    expect([tier.peek('a', none), tier.bytes]).toEqual([undefined, 0]);
  });

  test('an entry that is larger than the whole tier does not stay', () => {
    const tier = new MemoryTier({ maxBytes: 10 * KIB, maxEntryBytes: 100 * KIB });
    tier.keep(sized('a', 50 * KIB));
    expect([tier.size, tier.bytes]).toEqual([0, 0]);
  });
});

test('at most so many variants of one URL, the newest', () => {
  const tier = new MemoryTier({ maxBytes: 1e9, maxEntryBytes: 1e9 });
  for (let i = 0; i < MAX_VARIANTS + 4; i++)
    tier.keep(sized('a', 0, { selection: { names: ['x'], values: [String(i)] } }));
  const found = (i: number): boolean => tier.peek('a', () => String(i)) !== undefined;
  expect([found(0), found(3), found(4), found(MAX_VARIANTS + 3)]).toEqual([false, false, true, true]);
});

test('tells a variant that is missing from a URL that is', () => {
  const tier = new MemoryTier({ maxBytes: 1e9, maxEntryBytes: 1e9 });
  tier.keep(sized('a', 0, { selection: { names: ['x'], values: ['1'] } }));
  expect([tier.has('a'), tier.has('b'), tier.peek('a', none)]).toEqual([true, false, undefined]);
});

/** The definition: keys from least to most recently used, the oldest leaving while the sum is too large; of large ones, the last. */
class Model {
  readonly #sizes = new Map<string, number>();
  readonly #max: number;
  constructor(max: number) {
    this.#max = max;
  }
  get bytes(): number {
    return [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
  }
  get keys(): string[] {
    return [...this.#sizes.keys()];
  }
  put(key: string, size: number, maxEntry: number): void {
    this.#sizes.delete(key);
    if (size > maxEntry) {
      for (const [one, its] of this.#sizes) if (its > maxEntry) this.#sizes.delete(one);
      if (size > this.#max - maxEntry) return;
    }
    this.#sizes.set(key, size);
    while (this.bytes > this.#max) this.#sizes.delete(this.keys[0] ?? '');
  }
  get(key: string): boolean {
    const size = this.#sizes.get(key);
    if (size === undefined) return false;
    this.#sizes.delete(key);
    this.#sizes.set(key, size);
    return true;
  }
  delete(key: string): void {
    this.#sizes.delete(key);
  }
}

test('property: the least recently used leaves first, and the bytes never exceed the bound', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), key, bytes: fc.integer({ min: 0, max: 6 * KIB }) }),
    fc.record({ do: fc.constantFrom('get' as const, 'delete' as const), key, bytes: fc.constant(0) }),
  );
  const maxEntryBytes = 5 * KIB;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 2, max: 20 }), async (steps, kib) => {
      const tier = new MemoryTier({ maxBytes: kib * KIB, maxEntryBytes });
      const model = new Model(kib * KIB);
      for (const { do: what, key: at, bytes } of steps) {
        if (what === 'put') {
          tier.keep(sized(at, bytes));
          model.put(at, bytes + FLOOR, maxEntryBytes);
        } else if (what === 'get') expect(tier.peek(at, none) !== undefined).toBe(model.get(at));
        else {
          await tier.delete(at);
          model.delete(at);
        }
        expect(tier.bytes).toBe(model.bytes);
        expect(tier.bytes).toBeLessThanOrEqual(kib * KIB);
        expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((one) => tier.has(one)).sort()).toEqual([...model.keys].sort());
      }
    }),
  );
});
