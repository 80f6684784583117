import type { StoredResponse } from '../policy/stored.ts';
import { type ReadField, selectionKey, selectionMatches } from '../policy/vary.ts';
import { decode, encode } from './codec.ts';
import type { Tier } from './tier.ts';
import { admitted, indexed, type VariantIndex, variantSuffix, variantSuffixes } from './variants.ts';

/** R2 keys end at 1,024 bytes, a variant's suffix included; custom metadata at 8,192 (Cloudflare R2 limits). */
const MAX_KEY_BYTES = 1000;
/** Of a longer key this much stays readable, for listings by its beginning. */
const READABLE_BYTES = 600;
/** Metadata holds the whole key, or a take-down could not tell what an object is. Longer ones are not archived. */
const MAX_ARCHIVED_KEY_BYTES = 4000;
const MAX_TAG_BYTES = 4000;
const INDEX = 'index';
const INDEX_ATTEMPTS = 5;

/** What the archive says of an object without reading it: for take-downs by tag. */
export interface ArchiveListing {
  readonly objectKey: string;
  readonly key: string;
  readonly tags: readonly string[];
}

/** R2: durable, the same in every data centre, read-after-write consistent. Holds the last good copy of every page. */
export class ArchiveTier implements Tier {
  readonly name = 'archive';
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async get(key: string, read: ReadField): Promise<StoredResponse | undefined> {
    const object = await this.#bucket.get(await objectKey(key));
    if (object === null) return undefined;
    if (object.customMetadata?.kind !== INDEX) {
      const entry = decode(await object.arrayBuffer());
      return entry?.key === key ? entry : undefined;
    }
    const index = await object.json<VariantIndex>();
    const found = await Promise.all(variantSuffixes(index, read).map((suffix) => this.#variant(key, suffix, read)));
    return found.filter((entry) => entry !== undefined).sort((a, b) => b.responseTime - a.responseTime)[0];
  }

  async #variant(key: string, suffix: string, read: ReadField): Promise<StoredResponse | undefined> {
    const object = await this.#bucket.get((await objectKey(key)) + suffix);
    const entry = object === null ? undefined : decode(await object.arrayBuffer());
    return entry && entry.key === key && selectionMatches(entry.selection, entry.headers, read) ? entry : undefined;
  }

  async put(entry: StoredResponse): Promise<void> {
    if (bytesOf(entry.key).length > MAX_ARCHIVED_KEY_BYTES) return;
    const primary = await objectKey(entry.key);
    if (entry.selection.names.length > 0) return this.#putVariant(primary, entry);
    // A response without Vary takes the place of the index: without it nothing would lead to the variants any more.
    const isIndex = (await this.#bucket.head(primary))?.customMetadata?.kind === INDEX;
    const { index } = isIndex ? await this.#index(primary) : {};
    await this.#write(primary, entry);
    await this.remove((index?.variants ?? []).map((suffix) => primary + suffix));
  }

  async #putVariant(primary: string, entry: StoredResponse): Promise<void> {
    const suffix = variantSuffix(selectionKey(entry.selection));
    // The variant first: an index never names what is not there yet.
    await this.#write(primary + suffix, entry);
    for (let attempt = 0; attempt < INDEX_ATTEMPTS; attempt += 1) {
      const { index, etag } = await this.#index(primary);
      const { next, dropped } = admitted(indexed(index, entry.selection.names), suffix);
      if (next === index) return;
      // Another data centre may be adding a variant of its own: neither is to be forgotten.
      const onlyIf = etag === undefined ? { etagDoesNotMatch: '*' } : { etagMatches: etag };
      const customMetadata = { kind: INDEX, key: entry.key };
      if ((await this.#bucket.put(primary, JSON.stringify(next), { onlyIf, customMetadata })) === null) continue;
      return this.remove(dropped.map((old) => primary + old));
    }
    // What no index names is not kept: nobody would ever remove it.
    await this.remove([primary + suffix]);
    throw new Error(`the variants of ${entry.key} change too often to keep another one`);
  }

  /** The index at a primary key, if one is there, and the tag of whatever is. */
  async #index(primary: string): Promise<{ index?: VariantIndex; etag?: string }> {
    const object = await this.#bucket.get(primary);
    if (object === null) return {};
    if (object.customMetadata?.kind === INDEX) return { index: await object.json<VariantIndex>(), etag: object.etag };
    await object.body.cancel();
    return { etag: object.etag };
  }

  async #write(at: string, entry: StoredResponse): Promise<void> {
    const tags = entry.tags.join(',');
    const customMetadata = {
      kind: 'response',
      key: entry.key,
      tags: tags.length > MAX_TAG_BYTES ? '*' : tags,
    };
    await this.#bucket.put(at, encode(entry), { customMetadata });
  }

  async delete(key: string): Promise<void> {
    const at = await objectKey(key);
    const variants: string[] = [];
    for await (const { objectKey: found } of this.#objects(at))
      if (found === at || found.startsWith(`${at}#v=`)) variants.push(found);
    await this.remove(variants);
  }

  /** Everything whose cache key begins so. */
  async *list(prefix: string): AsyncGenerator<ArchiveListing> {
    const readable = new TextDecoder().decode(bytesOf(prefix).subarray(0, READABLE_BYTES));
    for await (const listing of this.#objects(readable)) if (listing.key.startsWith(prefix)) yield listing;
  }

  /** Objects by the beginning of their own key, a thousand at a time. */
  async *#objects(prefix: string): AsyncGenerator<ArchiveListing> {
    let cursor: string | undefined;
    do {
      const page = await this.#bucket.list({
        prefix,
        include: ['customMetadata'],
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const object of page.objects) {
        const tags = object.customMetadata?.tags ?? '';
        yield {
          objectKey: object.key,
          key: object.customMetadata?.key ?? object.key,
          tags: tags === '' ? [] : tags.split(','),
        };
      }
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
  }

  async remove(objectKeys: readonly string[]): Promise<void> {
    for (let at = 0; at < objectKeys.length; at += 1000) await this.#bucket.delete(objectKeys.slice(at, at + 1000));
  }
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The key itself where R2 takes it, so that take-downs by prefix can list; else its readable beginning and a hash. */
async function objectKey(key: string): Promise<string> {
  const bytes = bytesOf(key);
  if (bytes.length <= MAX_KEY_BYTES) return key;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${new TextDecoder().decode(bytes.subarray(0, READABLE_BYTES))}~${hex}`;
}
