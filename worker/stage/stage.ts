import type { HeaderList } from '../policy/header-list.ts';
import type { Invalidation } from '../policy/invalidation.ts';
import type { StoredMeta, StoredResponse } from '../policy/stored.ts';
import type { ReadField } from '../policy/vary.ts';

/**
 * The caching in front of archive and origin, in one data centre. Our own stage is memory + Cache API; Cloudflare's
 * Workers Cache is another one, which keeps nothing here but is told, by response fields and purges, what to keep.
 */
export interface CacheStage {
  readonly name: 'own' | 'workers-cache';
  /** Synchronous look-up; what a hot hit costs. */
  peek(key: string, read: ReadField): StoredResponse | undefined;
  /** The slower look-up within the data centre. */
  get(key: string, read: ReadField): Promise<StoredResponse | undefined>;
  /** Keeps it in this isolate, at once: no reader may fall between a body's end and its storing. */
  remember(entry: StoredResponse): void;
  /** Keeps it for readers to come; resolves when every part of the stage has it. */
  put(entry: StoredResponse): Promise<void>;
  delete(key: string): Promise<void>;
  hasVariants(key: string): boolean;
  /** Fields an answer must carry for a cache in front of this code. */
  fields(stored: StoredMeta | undefined, ttl: number): HeaderList;
  /** Tells a cache in front of this code of invalidations, once the ledger has them. */
  purge(entries: readonly Invalidation[]): Promise<void>;
}
