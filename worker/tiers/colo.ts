import type { StoredResponse } from '../policy/stored.ts';
import { type ReadField, selectionKey, selectionMatches } from '../policy/vary.ts';
import { decode, encode } from './codec.ts';
import type { Tier } from './tier.ts';
import { indexed, type VariantIndex, variantSuffix, variantSuffixes } from './variants.ts';

/** Copies are looked up in the archive again after this long, so that a take-down outlives every tombstone. */
const RETENTION_SECONDS = 86_400;
const INDEX_TYPE = 'application/vnd.porchlight.variants+json';

/** The Cache API of this data centre. Keys are URLs of the site's own zone, where zone purge by tag reaches them. */
export class ColoTier implements Tier {
  readonly name = 'colo';
  readonly #cache: Promise<Cache>;
  readonly #base: string;

  constructor(cache: Promise<Cache>, publicOrigin: string) {
    this.#cache = cache;
    this.#base = `${publicOrigin}/.porchlight/cache/`;
  }

  async get(key: string, read: ReadField): Promise<StoredResponse | undefined> {
    const cache = await this.#cache;
    const response = await cache.match(this.#url(key));
    if (response === undefined) return undefined;
    if (response.headers.get('content-type') !== INDEX_TYPE) return decode(await response.arrayBuffer());
    const index = (await response.json()) as VariantIndex;
    const found = await Promise.all(
      variantSuffixes(index, read).map((suffix) => this.#variant(cache, key + suffix, read)),
    );
    return found.filter((entry) => entry !== undefined).sort((a, b) => b.responseTime - a.responseTime)[0];
  }

  async #variant(cache: Cache, key: string, read: ReadField): Promise<StoredResponse | undefined> {
    const response = await cache.match(this.#url(key));
    const entry = response === undefined ? undefined : decode(await response.arrayBuffer());
    return entry && selectionMatches(entry.selection, entry.headers, read) ? entry : undefined;
  }

  async put(entry: StoredResponse): Promise<void> {
    const cache = await this.#cache;
    const { names } = entry.selection;
    if (names.length === 0) return cache.put(this.#url(entry.key), this.#frame(entry));
    const at = this.#url(entry.key);
    const present = await cache.match(at);
    const isIndex = present?.headers.get('content-type') === INDEX_TYPE;
    const index = isIndex ? ((await present.json()) as VariantIndex) : undefined;
    if (present && !isIndex) await present.body?.cancel();
    const next = indexed(index, names);
    if (next !== index) {
      const headers = { 'content-type': INDEX_TYPE, 'cache-control': `max-age=${RETENTION_SECONDS}` };
      await cache.put(at, new Response(JSON.stringify(next), { headers }));
    }
    await cache.put(this.#url(entry.key + variantSuffix(selectionKey(entry.selection))), this.#frame(entry));
  }

  /** Variants behind a removed index can no longer be found, and expire. */
  async delete(key: string): Promise<void> {
    await (await this.#cache).delete(this.#url(key));
  }

  #url(key: string): string {
    return this.#base + encodeURIComponent(key);
  }

  #frame(entry: StoredResponse): Response {
    const headers = new Headers({
      'content-type': 'application/octet-stream',
      'cache-control': `max-age=${RETENTION_SECONDS}`,
    });
    if (entry.tags.length > 0) headers.set('cache-tag', entry.tags.join(','));
    return new Response(encode(entry), { headers });
  }
}
