import { build } from 'esbuild';
import { Miniflare, type MiniflareOptions } from 'miniflare';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMPATIBILITY_DATE, ROOT } from '../../local/bundle.ts';
import { decode, encode } from '../../worker/tiers/codec.ts';
import { MemoryTier } from '../../worker/tiers/memory.ts';
import { MAX_VARIANTS } from '../../worker/tiers/variants.ts';
import { storedResponse } from '../support/stored.ts';
import { type DrivenTier, tierContract } from './tier-contract.ts';

let runtime: Miniflare | undefined;

/** The tiers in workerd, with Miniflare's Cache API and R2. */
async function start(): Promise<Miniflare> {
  const entry = `${ROOT}test/workerd/tiers.ts`;
  const bundle = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false, logLevel: 'silent' });
  const modules = { 'index.mjs': { type: 'esm', contents: bundle.outputFiles[0]?.text ?? '' } };
  const config = {
    name: 'tiers',
    compatibilityDate: COMPATIBILITY_DATE,
    manifest: { mainModule: 'index.mjs', modulesRoot: '/', modules },
    env: { ARCHIVE: { type: 'r2', name: 'archive' } },
  };
  const miniflare = new Miniflare({ workers: [{ config }] } as unknown as MiniflareOptions);
  await miniflare.ready;
  return miniflare;
}

async function ask(path: string, key: string, init: { method: string; body?: string | Uint8Array }) {
  if (runtime === undefined) throw new Error('workerd did not start');
  const response = await runtime.dispatchFetch(`http://tiers.test${path}?key=${encodeURIComponent(key)}`, init);
  const body = await response.arrayBuffer();
  if (response.status >= 500 || response.status === 400) throw new Error(new TextDecoder().decode(body));
  return { status: response.status, body };
}

const remote = (name: string): DrivenTier => ({
  async get(key, fields) {
    const { status, body } = await ask(`/${name}`, key, { method: 'POST', body: JSON.stringify(fields) });
    return status === 404 ? undefined : decode(body);
  },
  async put(entry) {
    await ask(`/${name}`, entry.key, { method: 'PUT', body: encode(entry) });
  },
  async delete(key) {
    await ask(`/${name}`, key, { method: 'DELETE' });
  },
});

interface Listed {
  objectKey: string;
  key: string;
  tags: string[];
}

const list = async (prefix: string): Promise<Listed[]> => {
  const { body } = await ask('/list', prefix, { method: 'GET' });
  return JSON.parse(new TextDecoder().decode(body)) as Listed[];
};

beforeAll(async () => {
  runtime = await start();
}, 60_000);
afterAll(() => runtime?.dispose());

describe('memory', () => {
  const memory = new MemoryTier({ maxBytes: 1e8, maxEntryBytes: 1e7 });
  tierContract(() => ({
    get: (key, fields) => memory.get(key, (name) => fields[name] ?? null),
    put: (entry) => memory.put(entry),
    delete: (key) => memory.delete(key),
  }));
});

describe('colo, the Cache API in workerd', () => tierContract(() => remote('colo')));

describe('archive, R2 in workerd', () => {
  const archive = remote('archive');
  tierContract(() => archive);

  test('lists what lies under a beginning, with keys and tags, for take-downs', async () => {
    const entry = (path: string, tags: string[]) => storedResponse({ key: `list:/${path}`, tags });
    await archive.put(entry('a/1', ['x', 'y']));
    await archive.put(entry('a/2', []));
    await archive.put(entry('b/1', ['x']));
    const found = await list('list:/a/');
    expect(found.map(({ key, tags }) => [key, tags])).toEqual([
      ['list:/a/1', ['x', 'y']],
      ['list:/a/2', []],
    ]);
  });

  test('more tags than a listing holds are listed as any tag', async () => {
    await archive.put(storedResponse({ key: 'many:/', tags: Array.from({ length: 900 }, (_, i) => `tag-${i}`) }));
    expect((await list('many:/')).map(({ tags }) => tags)).toEqual([['*']]);
  });

  test('long keys are listed whole, by any beginning', async () => {
    const key = `long:/${'x'.repeat(1500)}`;
    await archive.put(storedResponse({ key }));
    for (const length of [6, 500, 700, 1200, key.length])
      expect((await list(key.slice(0, length))).map((one) => one.key)).toEqual([key]);
    expect(await list(`${key}y`)).toEqual([]);
    expect(await list(`long:/${'x'.repeat(700)}y`)).toEqual([]);
  });

  test.each([10, 1500])(
    'a take-down leaves no variant behind for a later one to bring back (key of %d)',
    async (length) => {
      const key = `variants:/${'x'.repeat(length)}`;
      const variant = (value: string) => storedResponse({ key, selection: { names: ['x-a'], values: [value] } });
      await archive.put(variant('1'));
      await archive.delete(key);
      expect(await list(key)).toEqual([]);
      await archive.put(variant('2'));
      expect(await archive.get(key, { 'x-a': '1' })).toBeUndefined();
    },
  );

  const listed = async (key: string): Promise<string[]> => (await list(key)).map((one) => one.objectKey);
  const by = (key: string, name: string, value: string) =>
    storedResponse({ key, selection: { names: [name], values: [value] } });

  test('keeps sixteen variants of a page: the oldest go, and leave nothing behind', async () => {
    const key = 'capped:/';
    for (let i = 0; i < 40; i += 1) await archive.put(by(key, 'x-a', `${i}`));
    expect(await listed(key)).toHaveLength(MAX_VARIANTS + 1);
    const found = await Promise.all(Array.from({ length: 40 }, (_, i) => archive.get(key, { 'x-a': `${i}` })));
    expect(found.map((entry) => entry !== undefined)).toEqual(Array.from({ length: 40 }, (_, i) => i >= 24));
    // One that is kept already takes nobody's place.
    await archive.put(by(key, 'x-a', '30'));
    expect(await archive.get(key, { 'x-a': '24' })).toBeDefined();
    await archive.delete(key);
    expect(await listed(key)).toEqual([]);
  });

  test('an origin that varies by ever other fields is capped as well', async () => {
    for (let i = 0; i < 40; i += 1) await archive.put(by('fields:/', `x-${i}`, '1'));
    expect(await listed('fields:/')).toHaveLength(MAX_VARIANTS + 1);
    expect(await archive.get('fields:/', { 'x-39': '1' })).toBeDefined();
  });

  test('a response without Vary leaves no variant lying about', async () => {
    for (let i = 0; i < 5; i += 1) await archive.put(by('plain:/', 'x-a', `${i}`));
    await archive.put(storedResponse({ key: 'plain:/' }));
    expect(await listed('plain:/')).toEqual(['plain:/']);
  });

  test('variants that come at the same time are all counted', async () => {
    await Promise.all(['1', '2', '3', '4'].map((value) => archive.put(by('race:/', 'x-a', value))));
    for (const value of ['1', '2', '3', '4']) expect(await archive.get('race:/', { 'x-a': value })).toBeDefined();
    await archive.put(storedResponse({ key: 'race:/' }));
    expect(await listed('race:/')).toEqual(['race:/']);
  });
});
