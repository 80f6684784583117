import type { StoredResponse } from '../policy/stored.ts';
import type { ReadField } from '../policy/vary.ts';

export type TierName = 'memory' | 'colo' | 'archive';

/**
 * One place where responses are kept. All tiers pass the same contract suite; none decides freshness. A tier that
 * fails throws; the stack above turns that into a miss and a report, never into an error for a reader.
 */
export interface Tier {
  readonly name: TierName;
  /** The newest response stored under the key that the request's fields select, if any. */
  get(key: string, read: ReadField): Promise<StoredResponse | undefined>;
  /** Keeps it, in place of the response with an equal selection. */
  put(entry: StoredResponse): Promise<void>;
  /** Removes everything stored under the key. */
  delete(key: string): Promise<void>;
}
