import type { LedgerVerdict } from './reuse.ts';
import type { StoredMeta } from './stored.ts';

/**
 * `invalidate` keeps the copy for an outage; `delete` is a take-down: no copy may be used again. `reader` is as
 * `invalidate`, but caused by a reader's unsafe request.
 */
export type InvalidationMode = 'invalidate' | 'delete' | 'reader';

/** One line of the ledger. `seq` orders it against the fetches it overtakes. */
export interface Invalidation {
  readonly seq: number;
  readonly kind: 'tag' | 'prefix' | 'url' | 'everything';
  /** A tag; or a cache key, or the beginning of one; empty for `everything`. */
  readonly value: string;
  readonly mode: InvalidationMode;
}

/** The newest number folded into each slot; empty where none was. */
export type Slots = readonly number[];

/**
 * What an isolate knows of the ledger. `floor`: older invalidations were compacted, so older fetches must validate;
 * `slots`: the same for those of their tags or URLs alone, and of what falls into the same slots.
 */
export interface LedgerSnapshot {
  readonly seq: number;
  readonly floor: number;
  readonly entries: readonly Invalidation[];
  readonly slots?: Slots;
}

/** Slots of URLs, and as many of tags behind them. */
export const SLOTS = 4096;

/** The slot of a tag or URL (FNV-1a). */
export function slotOf(kind: 'tag' | 'url', value: string): number {
  let hash = 0x811c9dc5;
  // What follows `#` in a key tells parts and keyed fields apart; they are all the same URL.
  for (let at = 0; at < value.length && (kind === 'tag' || value[at] !== '#'); at += 1)
    hash = Math.imul(hash ^ value.charCodeAt(at), 0x01000193);
  return ((hash ^ (hash >>> 16)) & (SLOTS - 1)) + (kind === 'tag' ? SLOTS : 0);
}

interface Marks {
  invalidated: number;
  deleted: number;
}

function mark(marks: Map<string, Marks>, { value, seq, mode }: Invalidation): void {
  const at = marks.get(value) ?? { invalidated: 0, deleted: 0 };
  if (mode === 'delete') at.deleted = Math.max(at.deleted, seq);
  else at.invalidated = Math.max(at.invalidated, seq);
  marks.set(value, at);
}

/**
 * The ledger, indexed for the question asked on every hit: is there an invalidation of this response that its fetch
 * did not know? Cost depends on the response's own tags and path depth, not on how many invalidations are alive.
 */
export class InvalidationIndex {
  readonly seq: number;
  readonly floor: number;
  readonly #tags = new Map<string, Marks>();
  readonly #urls = new Map<string, Marks>();
  readonly #prefixes = new Map<string, Marks>();
  readonly #prefixLengths: readonly number[];
  readonly #everything: Marks = { invalidated: 0, deleted: 0 };
  readonly #slots: Slots;

  constructor(snapshot: LedgerSnapshot) {
    this.seq = snapshot.seq;
    this.floor = snapshot.floor;
    this.#slots = snapshot.slots ?? [];
    const everything = new Map([['', this.#everything]]);
    const byKind = { tag: this.#tags, url: this.#urls, prefix: this.#prefixes, everything };
    for (const entry of snapshot.entries) mark(byKind[entry.kind], entry);
    this.#prefixLengths = [...new Set([...this.#prefixes.keys()].map((prefix) => prefix.length))];
  }

  /** The ledger's word on a stored response. */
  verdict(stored: Pick<StoredMeta, 'key' | 'tags' | 'seq'>): LedgerVerdict {
    let invalidated = stored.seq < this.floor || this.#isSlotted(stored);
    for (const marks of this.#matching(stored)) {
      if (marks.deleted > stored.seq) return 'deleted';
      if (marks.invalidated > stored.seq) invalidated = true;
    }
    return invalidated ? 'invalidated' : 'valid';
  }

  #isSlotted({ key, tags, seq }: Pick<StoredMeta, 'key' | 'tags' | 'seq'>): boolean {
    const slots = this.#slots;
    const isIn = (kind: 'tag' | 'url', value: string): boolean => (slots[slotOf(kind, value)] ?? 0) > seq;
    return slots.length > 0 && (isIn('url', key) || tags.some((tag) => isIn('tag', tag)));
  }

  *#matching(stored: Pick<StoredMeta, 'key' | 'tags'>): Generator<Marks> {
    yield this.#everything;
    // What follows `#` tells parts and keyed fields apart; they are all the same URL.
    const fragment = stored.key.indexOf('#');
    const url = this.#urls.get(fragment < 0 ? stored.key : stored.key.slice(0, fragment));
    if (url) yield url;
    // A key with its fields means that variant alone.
    const keyed = fragment < 0 ? undefined : this.#urls.get(stored.key.replace(/#part$/, ''));
    if (keyed && keyed !== url) yield keyed;
    for (const tag of stored.tags) {
      const marks = this.#tags.get(tag);
      if (marks) yield marks;
    }
    for (const length of this.#prefixLengths) {
      const marks = stored.key.length >= length ? this.#prefixes.get(stored.key.slice(0, length)) : undefined;
      if (marks) yield marks;
    }
  }
}

export const EMPTY_SNAPSHOT: LedgerSnapshot = { seq: 0, floor: 0, entries: [] };
