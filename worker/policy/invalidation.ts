import type { LedgerVerdict } from './reuse.ts';
import type { StoredMeta } from './stored.ts';

/** `invalidate` keeps the copy for an outage; `delete` is a take-down: no copy may be used again. */
export type InvalidationMode = 'invalidate' | 'delete';

/** One line of the ledger. `seq` orders it against the fetches it overtakes. */
export interface Invalidation {
  readonly seq: number;
  readonly kind: 'tag' | 'prefix' | 'url' | 'everything';
  /** A tag; or a cache key, or the beginning of one; empty for `everything`. */
  readonly value: string;
  readonly mode: InvalidationMode;
}

/** What an isolate knows of the ledger. `floor`: older invalidations were compacted, so older fetches must validate. */
export interface LedgerSnapshot {
  readonly seq: number;
  readonly floor: number;
  readonly entries: readonly Invalidation[];
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

  constructor(snapshot: LedgerSnapshot) {
    this.seq = snapshot.seq;
    this.floor = snapshot.floor;
    const everything = new Map([['', this.#everything]]);
    const byKind = { tag: this.#tags, url: this.#urls, prefix: this.#prefixes, everything };
    for (const entry of snapshot.entries) mark(byKind[entry.kind], entry);
    this.#prefixLengths = [...new Set([...this.#prefixes.keys()].map((prefix) => prefix.length))];
  }

  /** The ledger's word on a stored response. */
  verdict(stored: Pick<StoredMeta, 'key' | 'tags' | 'seq'>): LedgerVerdict {
    let invalidated = stored.seq < this.floor;
    for (const marks of this.#matching(stored)) {
      if (marks.deleted > stored.seq) return 'deleted';
      if (marks.invalidated > stored.seq) invalidated = true;
    }
    return invalidated ? 'invalidated' : 'valid';
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
