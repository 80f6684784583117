import type { StoredResponse } from '../policy/stored.ts';
import { type ReadField, selectionKey, selectionMatches } from '../policy/vary.ts';
import { decode, encode } from './codec.ts';
import type { Tier } from './tier.ts';
import { indexed, type VariantIndex, variantSuffix, variantSuffixes } from './variants.ts';

/** R2 keys end at 1,024 bytes, custom metadata at 8,192 (Cloudflare R2 limits). */
export const MAX_KEY_BYTES = 1000;
/** What stays readable of a longer key, before its hash. */
const HASHED_BYTES = 600;
const MAX_TAG_BYTES = 4000;
const INDEX = 'index';

/** What the archive says of an object without reading it: for take-downs by tag. */
export interface ArchiveListing {
  readonly objectKey: string;
  /** Its first 1,000 characters, where it is longer. */
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
    const object = await this.#bucket.get(await objectKey(key + suffix));
    const entry = object === null ? undefined : decode(await object.arrayBuffer());
    return entry && entry.key === key && selectionMatches(entry.selection, entry.headers, read) ? entry : undefined;
  }

  async put(entry: StoredResponse): Promise<void> {
    const { names } = entry.selection;
    const primary = await objectKey(entry.key);
    if (names.length === 0) return this.#write(primary, entry);
    const object = await this.#bucket.get(primary);
    const index = object?.customMetadata?.kind === INDEX ? await object.json<VariantIndex>() : undefined;
    const next = indexed(index, names);
    // The variant first: an index never names what is not there yet.
    await this.#write(await objectKey(entry.key + variantSuffix(selectionKey(entry.selection))), entry);
    if (next !== index)
      await this.#bucket.put(primary, JSON.stringify(next), { customMetadata: { kind: INDEX, key: entry.key } });
  }

  async #write(at: string, entry: StoredResponse): Promise<void> {
    const tags = entry.tags.join(',');
    const customMetadata = {
      kind: 'response',
      key: entry.key.slice(0, MAX_KEY_BYTES),
      tags: tags.length > MAX_TAG_BYTES ? '*' : tags,
    };
    await this.#bucket.put(at, encode(entry), { customMetadata });
  }

  async delete(key: string): Promise<void> {
    const at = await objectKey(key);
    const variants: string[] = [];
    for await (const listing of this.list(at))
      if (listing.objectKey === at || listing.objectKey.startsWith(`${at}#v=`)) variants.push(listing.objectKey);
    await this.remove(variants);
  }

  /** Everything whose key begins so, and what a long beginning cannot tell from it; a thousand at a time. */
  async *list(beginning: string): AsyncGenerator<ArchiveListing> {
    const bytes = new TextEncoder().encode(beginning);
    const prefix = bytes.length <= HASHED_BYTES ? beginning : new TextDecoder().decode(bytes.slice(0, HASHED_BYTES));
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

/** The key itself where R2 takes it, so that take-downs by prefix can list; else its readable beginning and a hash. */
async function objectKey(key: string): Promise<string> {
  const bytes = new TextEncoder().encode(key);
  if (bytes.length <= MAX_KEY_BYTES) return key;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${new TextDecoder().decode(bytes.slice(0, HASHED_BYTES))}~${hex}`;
}
