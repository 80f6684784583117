import type { Comment, Summary } from '../../../shared/contract/summary.ts';
import { one, type Sql } from '../../store/database.ts';
import type { Digests } from '../digest.ts';
import type { Held } from './held.ts';

export type Visibility = 'public' | 'private';

/** What a request for a summary says about its thread. */
export interface Arriving {
  readonly threadId: string;
  readonly variant: string;
  readonly visibility: Visibility;
  readonly comments: readonly Comment[];
  readonly digests: Digests;
  readonly acceptedAt: number;
}

export interface Kept {
  readonly key: string;
  readonly seen: string;
  readonly summary: Summary;
}

/** By the model, and all it was to be: there is no better one of the same comments. */
export const isFinal = ({ summary }: Kept): boolean => summary.engine === 'model' && summary.reason === undefined;

/** How a thread stands once a request has arrived. */
export interface Standing {
  /** The comments that may be used: all but those that were removed or edited after the request was accepted. */
  readonly comments: readonly Comment[];
  /** Digest of these. */
  readonly seen: string;
  /** What is made now may be stored only as long as this still holds; null: it may not be stored. */
  readonly generation: number | null;
  /** A newer state of the thread has been seen: what this request leads to is not stored under the thread. */
  readonly outdated: boolean;
  /** The last good summary as asked for, without anything that was edited or removed since. */
  readonly kept: Kept | null;
  /** Nothing was known of the thread before. */
  readonly first?: boolean;
  /** Ids of the comments that were found edited or removed by this request. */
  readonly changed: readonly string[];
}

export interface HeadRow {
  generation: number;
  visibility: Visibility;
  seen: string;
  comments: Digests;
  held: Held;
  updated_at: Date;
}
/** Holds a thread's row until the end of the transaction. */
export async function lockHead(sql: Sql, threadId: string): Promise<HeadRow> {
  const head = await one<HeadRow>(
    sql,
    'SELECT generation, visibility, comments, seen, held, updated_at FROM summary_thread WHERE id = $1 FOR UPDATE',
    [threadId],
  );
  if (!head) throw new Error('the thread vanished within its transaction');
  return head;
}
