import type { Summary } from '../../../shared/contract/summary.ts';
import { purgeRow } from '../../purge/outbox.ts';
import { one, type Sql } from '../../store/database.ts';
import type { ThreadRecord } from '../types.ts';
import { purgeOf, type Withdrawing } from './withdraw.ts';

export interface Saving {
  readonly threadId: string;
  readonly variant: string;
  readonly generation: number;
  readonly key: string;
  readonly seen: string;
  readonly summary: Summary;
  readonly record: ThreadRecord | null;
}

/** Summaries of one thread in different words, languages or lengths that are kept beside each other. */
const VARIANTS_MAX = 8;

const REMEMBERED = `remembered AS (
       UPDATE summary_thread SET record = $14::text::jsonb FROM head, put WHERE summary_thread.id = head.id),`;

/** `behind`: a summary of a newer state of the thread is there. `moved-on`: a comment has been edited or removed, or all of the thread. */
export type Saved = 'kept' | 'behind' | 'moved-on';

export interface Keeping {
  /**
   * Whether it is on the disk once it is kept. It has to be where more than a summary depends on it; else a crash just after the answer
   * costs its making again, and nothing else: its purge is lost with it.
   */
  readonly durable: boolean;
}

/**
 * Checks, writes and queues the purge in one statement: each one more is a round trip to the store's thread or server. A slower request
 * for an earlier state of the thread does not replace the summary of the newest.
 */
export async function keep(sql: Sql, made: Saving, parts: Withdrawing, { durable }: Keeping): Promise<Saved> {
  const { threadId, variant, key, seen, summary, generation, record } = made;
  const purge = purgeOf(threadId, 'invalidate', parts);
  const kept = await one<{ purged: boolean; added: boolean | null; crowded: boolean }>(
    sql,
    `WITH head AS (SELECT id, visibility, seen FROM summary_thread WHERE id = $1 AND generation = $7 FOR UPDATE),
     put AS (
       INSERT INTO summary_made (thread_id, variant, key, seen, summary, made_at)
       SELECT id, $2::text, $3::text, $4::text, $5::text::jsonb, $6::timestamptz FROM head
       ON CONFLICT (thread_id, variant) DO UPDATE SET key = $3, seen = $4, summary = $5::text::jsonb, made_at = $6
         WHERE $4 = (SELECT seen FROM head) OR summary_made.seen <> (SELECT seen FROM head)
       RETURNING xmax = 0 AS added),
     ${record === null ? '' : REMEMBERED}
     purged AS (
       INSERT INTO purge (id, accepted_at, caller, request_id, digest, body)
       SELECT $8::text, $9::timestamptz, $10::text, $11::text, $12::text, $13::text::jsonb FROM head, put WHERE head.visibility = 'public'
       RETURNING id)
     SELECT ${durable ? '' : `set_config('synchronous_commit', 'off', true), `}EXISTS (SELECT FROM purged) AS purged, put.added, coalesce(put.added, false)
       AND (SELECT count(*) FROM summary_made WHERE thread_id = $1) >= ${VARIANTS_MAX} AS crowded FROM head LEFT JOIN put ON true`,
    [
      ...[threadId, variant, key, seen, JSON.stringify(summary), summary.createdAt, generation],
      ...purgeRow(purge, new Date(parts.now())),
      ...(record === null ? [] : [JSON.stringify(record)]),
    ],
  );
  if (kept?.purged) parts.purged();
  if (kept?.crowded) await prune(sql, threadId);
  if (kept === null) return 'moved-on';
  return kept.added === null ? 'behind' : 'kept';
}

async function prune(sql: Sql, threadId: string): Promise<void> {
  await sql.query(
    `DELETE FROM summary_made WHERE thread_id = $1 AND variant NOT IN
       (SELECT variant FROM summary_made WHERE thread_id = $1 ORDER BY made_at DESC LIMIT ${VARIANTS_MAX})`,
    [threadId],
  );
}
