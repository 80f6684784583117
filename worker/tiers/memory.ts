import type { StoredResponse } from '../policy/stored.ts';
import { type ReadField, selectionKey } from '../policy/vary.ts';
import type { Tier } from './tier.ts';
import { MAX_VARIANTS, newestMatch } from './variants.ts';

/** In the order of use, as a ring: a map in that order would have to delete and add a key for every hit. */
interface Place {
  older: Place;
  newer: Place;
}

interface Slot extends Place {
  readonly key: string;
  readonly entries: readonly StoredResponse[];
  readonly bytes: number;
}

/** What an entry costs beside its text and its body: objects, map slots, parsed fields. */
const OVERHEAD_BYTES = 1024;

/** Metadata costs memory too: an origin's large fields would fill an isolate that counts only bodies. */
function sizeOf({ key, headers, tags, body }: StoredResponse): number {
  let text = key.length;
  for (const [name, value] of headers) text += name.length + value.length;
  for (const tag of tags) text += tag.length;
  return body.byteLength + text + OVERHEAD_BYTES;
}

/**
 * This isolate's memory: bounded by bytes, least recently used first out. The only tier that answers without waiting.
 *
 * A hit moves a page within the ring and leaves the map alone. What is deleted from a `Map` stays in the chain of its hash until the
 * whole map is copied, so that a hot page that is deleted and added with every hit walks a chain as long as the map is large.
 */
export class MemoryTier implements Tier {
  readonly name = 'memory';
  readonly #slots = new Map<string, Slot>();
  /** Between the newest and the oldest. */
  readonly #ends = {} as Place;
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  #bytes = 0;
  /** Of what is larger than `maxEntryBytes` only the last is kept: its readers share one copy. */
  #large: string | undefined;

  constructor(options: { maxBytes: number; maxEntryBytes: number }) {
    this.#maxBytes = options.maxBytes;
    this.#maxEntryBytes = options.maxEntryBytes;
    this.#ends.older = this.#ends.newer = this.#ends;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** The synchronous look-up of the hit path. */
  peek(key: string, read: ReadField): StoredResponse | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    unlink(slot);
    this.#append(slot);
    const only = slot.entries.length === 1 ? slot.entries[0] : undefined;
    return only !== undefined && only.selection.names.length === 0 ? only : newestMatch(slot.entries, read);
  }

  /** Is anything stored under the key, whatever its selection? Tells a `Vary` miss from a URL miss. */
  has(key: string): boolean {
    return this.#slots.has(key);
  }

  async get(key: string, read: ReadField): Promise<StoredResponse | undefined> {
    return this.peek(key, read);
  }

  async put(entry: StoredResponse): Promise<void> {
    this.keep(entry);
  }

  keep(entry: StoredResponse): void {
    const own = selectionKey(entry.selection);
    // A response without Vary replaces all variants; one with Vary replaces what had none, and its own selection.
    const others = (this.#slots.get(entry.key)?.entries ?? []).filter(
      ({ selection }) => own !== '' && selection.names.length > 0 && selectionKey(selection) !== own,
    );
    this.#drop(entry.key);
    const isSmall = (one: StoredResponse): boolean => sizeOf(one) <= this.#maxEntryBytes;
    if (!isSmall(entry)) {
      if (this.#large !== undefined) this.#drop(this.#large);
      if (sizeOf(entry) > this.#maxBytes - this.#maxEntryBytes) return;
    }
    const entries = [entry, ...(isSmall(entry) ? others : others.filter(isSmall))].slice(0, MAX_VARIANTS);
    if (!entries.every(isSmall)) this.#large = entry.key;
    const bytes = entries.reduce((sum, one) => sum + sizeOf(one), 0);
    const slot: Slot = { key: entry.key, entries, bytes, older: this.#ends, newer: this.#ends };
    this.#slots.set(entry.key, slot);
    this.#append(slot);
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#drop((this.#ends.newer as Slot).key);
  }

  async delete(key: string): Promise<void> {
    this.#drop(key);
  }

  #drop(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    this.#bytes -= slot.bytes;
    this.#slots.delete(key);
    if (key === this.#large) this.#large = undefined;
    unlink(slot);
  }

  #append(slot: Slot): void {
    const newest = this.#ends.older;
    slot.older = newest;
    slot.newer = this.#ends;
    newest.newer = this.#ends.older = slot;
  }
}

function unlink({ older, newer }: Place): void {
  older.newer = newer;
  newer.older = older;
}
