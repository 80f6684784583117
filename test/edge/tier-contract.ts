import { expect, test } from 'vitest';
import type { StoredResponse } from '../../worker/policy/stored.ts';
import type { Selection } from '../../worker/policy/vary.ts';
import { storedResponse } from '../support/stored.ts';
import { NOW } from '../support/times.ts';

/** A tier as the contract drives it; request fields are plain data, since some tiers live in another process. */
export interface DrivenTier {
  get(key: string, fields: Record<string, string>): Promise<StoredResponse | undefined>;
  put(entry: StoredResponse): Promise<void>;
  delete(key: string): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const by = (...pairs: [name: string, value: string | null][]): Selection => ({
  names: pairs.map(([name]) => name),
  values: pairs.map(([, value]) => value),
});
let keys = 0;
/** Tests share a tier, never a key. */
const fresh = (path = 'page'): string => `blog:/${path}-${keys++}`;

function storing(tier: () => DrivenTier): void {
  test('a response comes back as it was put, to the byte', async () => {
    const entry = storedResponse({
      key: fresh('ü%20"x"?a=b&c'),
      body: Uint8Array.from({ length: 300 }, (_, i) => i % 256),
      headers: [
        ['content-type', 'text/html; charset=utf-8'],
        ['x-a', '1'],
        ['x-a', 'ü'],
      ],
      tags: ['post:a', 'list'],
      validators: { etag: 'W/"1"' },
      seq: 7,
    });
    await tier().put(entry);
    expect(await tier().get(entry.key, {})).toEqual(entry);
  });

  test('what was never put is a miss', async () => {
    expect(await tier().get(fresh(), {})).toBeUndefined();
  });

  test('an empty body is a body', async () => {
    const entry = storedResponse({ key: fresh(), body: new Uint8Array(), status: 204 });
    await tier().put(entry);
    expect(await tier().get(entry.key, {})).toEqual(entry);
  });

  test('a megabyte and a half', async () => {
    const entry = storedResponse({ key: fresh(), body: new Uint8Array(1_500_000).fill(7) });
    await tier().put(entry);
    expect((await tier().get(entry.key, {}))?.body.byteLength).toBe(1_500_000);
  });
}

function keying(tier: () => DrivenTier): void {
  test('the later put replaces the earlier', async () => {
    const key = fresh();
    await tier().put(storedResponse({ key, body: bytes('one') }));
    await tier().put(storedResponse({ key, body: bytes('two'), seq: 1 }));
    expect(await tier().get(key, {})).toMatchObject({ body: bytes('two'), seq: 1 });
  });

  test('keys are told apart, also where one begins with the other', async () => {
    const key = fresh();
    await tier().put(storedResponse({ key, body: bytes('page') }));
    await tier().put(storedResponse({ key: `${key}?x=1`, body: bytes('query') }));
    await tier().put(storedResponse({ key: `${key}#h=a:1`, body: bytes('keyed') }));
    const texts = [key, `${key}?x=1`, `${key}#h=a:1`, `${key}?x=2`].map(async (one) => {
      const found = await tier().get(one, {});
      return found && new TextDecoder().decode(found.body);
    });
    expect(await Promise.all(texts)).toEqual(['page', 'query', 'keyed', undefined]);
  });

  test.each([1000, 1500, 3500])('a key of %d bytes', async (length) => {
    const key = fresh('x'.repeat(length));
    await tier().put(storedResponse({ key }));
    expect(await tier().get(key, {})).toMatchObject({ key });
    expect(await tier().get(`${key}x`, {})).toBeUndefined();
    await tier().delete(key);
    expect(await tier().get(key, {})).toBeUndefined();
  });
}

function selecting(tier: () => DrivenTier): void {
  const variant = (key: string, selection: Selection, text: string, more: Partial<StoredResponse> = {}) =>
    storedResponse({ key, selection, body: bytes(text), ...more });
  const text = async (key: string, fields: Record<string, string>): Promise<string | undefined> => {
    const found = await tier().get(key, fields);
    return found && new TextDecoder().decode(found.body);
  };

  test('variants live beside each other, each found by its own fields (RFC 9111 §4.1)', async () => {
    const key = fresh();
    await tier().put(variant(key, by(['x-lang', 'de']), 'hallo'));
    await tier().put(variant(key, by(['x-lang', 'en']), 'hello'));
    await tier().put(variant(key, by(['x-lang', null]), 'hi'));
    const asked = [{ 'x-lang': 'de' }, { 'x-lang': 'en' }, {}, { 'x-lang': 'fr' }].map((fields) => text(key, fields));
    expect(await Promise.all(asked)).toEqual(['hallo', 'hello', 'hi', undefined]);
  });

  test('a put replaces the variant of the same selection only', async () => {
    const key = fresh();
    await tier().put(variant(key, by(['x-lang', 'de']), 'alt'));
    await tier().put(variant(key, by(['x-lang', 'en']), 'old'));
    await tier().put(variant(key, by(['x-lang', 'de']), 'neu'));
    expect([await text(key, { 'x-lang': 'de' }), await text(key, { 'x-lang': 'en' })]).toEqual(['neu', 'old']);
  });

  test('an origin that changes what it varies by: of those that match, the newest', async () => {
    const key = fresh();
    await tier().put(variant(key, by(['x-a', '1']), 'by a', { responseTime: NOW }));
    await tier().put(variant(key, by(['x-a', '1'], ['x-b', '2']), 'by both', { responseTime: NOW + 1 }));
    expect(await text(key, { 'x-a': '1', 'x-b': '2' })).toBe('by both');
    expect(await text(key, { 'x-a': '1', 'x-b': '3' })).toBe('by a');
  });

  test('a response without Vary takes the place of all variants', async () => {
    const key = fresh();
    await tier().put(variant(key, by(['x-a', '1']), 'variant'));
    await tier().put(storedResponse({ key, body: bytes('plain') }));
    expect([await text(key, { 'x-a': '1' }), await text(key, {})]).toEqual(['plain', 'plain']);
  });

  test('a response with Vary takes the place of the one without', async () => {
    const key = fresh();
    await tier().put(storedResponse({ key, body: bytes('plain') }));
    await tier().put(variant(key, by(['x-a', '1']), 'variant'));
    expect([await text(key, { 'x-a': '1' }), await text(key, {})]).toEqual(['variant', undefined]);
  });
}

function removing(tier: () => DrivenTier): void {
  test('delete removes what is there and minds nothing that is not', async () => {
    const key = fresh();
    await tier().delete(key);
    await tier().put(storedResponse({ key }));
    await tier().put(storedResponse({ key: `${key}x` }));
    await tier().delete(key);
    expect(await tier().get(key, {})).toBeUndefined();
    expect(await tier().get(`${key}x`, {})).toBeDefined();
  });

  test('delete removes every variant', async () => {
    const key = fresh();
    for (const value of ['1', '2']) await tier().put(storedResponse({ key, selection: by(['x-a', value]) }));
    await tier().delete(key);
    for (const value of ['1', '2']) expect(await tier().get(key, { 'x-a': value })).toBeUndefined();
  });

  test('what is put after a delete stays', async () => {
    const key = fresh();
    await tier().put(storedResponse({ key, body: bytes('old') }));
    await tier().delete(key);
    await tier().put(storedResponse({ key, body: bytes('new') }));
    expect(await tier().get(key, {})).toMatchObject({ body: bytes('new') });
  });

  test('many at once do not disturb each other', async () => {
    const all = Array.from({ length: 20 }, (_, i) => storedResponse({ key: fresh(), body: bytes(`body ${i}`) }));
    await Promise.all(all.map((entry) => tier().put(entry)));
    expect(await Promise.all(all.map(({ key }) => tier().get(key, {})))).toEqual(all);
  });
}

/** What every tier promises (see worker/tiers/tier.ts), whatever it is made of. */
export function tierContract(tier: () => DrivenTier): void {
  storing(tier);
  keying(tier);
  selecting(tier);
  removing(tier);
}
