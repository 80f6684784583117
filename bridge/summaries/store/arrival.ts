import type { Summary } from '../../../shared/contract/summary.ts';
import { one, type Sql } from '../../store/database.ts';
import { changedComments, threadDigest } from '../digest.ts';
import { type Arriving, type HeadRow, type Kept, lockHead, type Standing, type Visibility } from './head.ts';
import { type Held, hold, usable } from './held.ts';
import { purgeThread, type Withdrawing, withdraw } from './withdraw.ts';

/**
 * Takes note of the thread as the request shows it, within the caller's transaction. Comments that were edited or removed are withdrawn
 * here and at the edge, before anything is generated.
 */
export async function arrive(sql: Sql, arriving: Arriving, parts: Withdrawing): Promise<Standing> {
  const { threadId, variant, acceptedAt } = arriving;
  const at = new Date(acceptedAt).toISOString();
  const head = await lockHead(sql, threadId);
  const { comments, digests, seen } = usable(arriving, head.held);
  const outdated = seen !== head.seen && acceptedAt < head.updated_at.getTime();
  const changed = outdated ? [] : changedComments(head.comments, digests);
  // Private once is private until the thread is removed: a caller that forgot to say so must not publish it.
  const hidden = arriving.visibility === 'private' && head.visibility === 'public';
  const generation = head.generation + (changed.length > 0 ? 1 : 0);
  if (hidden) await sql.query(`UPDATE summary_thread SET visibility = 'private' WHERE id = $1`, [threadId]);
  if (!outdated && seen !== head.seen) {
    await sql.query(
      `UPDATE summary_thread SET generation = $2, comments = $3::text::jsonb, seen = $4, held = $5::text::jsonb, updated_at = $6
       WHERE id = $1`,
      [
        threadId,
        generation,
        JSON.stringify(digests),
        seen,
        JSON.stringify(hold(head.held, changed, acceptedAt, digests)),
        at,
      ],
    );
  }
  if (changed.length > 0) await withdraw(sql, threadId, new Set(changed), parts);
  if (head.visibility === 'public' && (hidden || changed.length > 0)) await purgeThread(sql, threadId, 'delete', parts);
  return { comments, seen, generation, outdated, changed, kept: await keptOf(sql, threadId, variant) };
}

/** What is known of a thread. */
export interface Known {
  readonly generation: number;
  readonly held: Held;
  readonly visibility: Visibility;
  /** Digest of the newest state of the thread. */
  readonly seen: string;
  readonly kept: Kept | null;
}

const COLUMNS =
  'head.generation, head.held, head.visibility, head.seen, made.key, made.seen AS made_seen, made.summary';

/** What is known of a thread; null where nothing is. */
export async function glance(sql: Sql, threadId: string, variant: string): Promise<Known | null> {
  const row = await one<MetRow>(
    sql,
    `SELECT ${COLUMNS}
     FROM summary_thread AS head LEFT JOIN summary_made AS made ON made.thread_id = head.id AND made.variant = $2
     WHERE head.id = $1`,
    [threadId, variant],
  );
  return row && knownOf(row);
}

type MetRow = { [Field in 'generation' | 'held' | 'visibility' | 'seen']: HeadRow[Field] | null } & {
  key: string | null;
  made_seen: string | null;
  summary: Summary | null;
};

/**
 * What is known of a thread; where nothing is, takes note of it, all in one statement: each one more is a round trip to the store's
 * thread or server. It is not waited for until it is on the disk: what a crash may lose is a thread nothing was made of, and whatever
 * is made of it is committed after it. Null: another request took note of it at this very moment.
 */
export async function meet(sql: Sql, arriving: Arriving): Promise<Known | Standing | null> {
  const { threadId, variant, visibility, comments, digests, acceptedAt } = arriving;
  const seen = threadDigest(digests);
  const row = await one<MetRow & { first: boolean }>(
    sql,
    `WITH fresh AS (
       INSERT INTO summary_thread (id, generation, visibility, comments, seen, held, updated_at)
       SELECT $1::text, 0, $3::text, $4::text::jsonb, $5::text, '{}', $6::timestamptz
       WHERE NOT EXISTS (SELECT FROM summary_thread WHERE id = $1) ON CONFLICT (id) DO NOTHING RETURNING id)
     SELECT EXISTS (SELECT FROM fresh) AS first, set_config('synchronous_commit', 'off', true), ${COLUMNS}
     FROM (VALUES ($1::text)) AS asked (id) LEFT JOIN summary_thread AS head ON head.id = asked.id
       LEFT JOIN summary_made AS made ON made.thread_id = head.id AND made.variant = $2`,
    [threadId, variant, visibility, JSON.stringify(digests), seen, new Date(acceptedAt).toISOString()],
  );
  if (row?.first) return { comments, seen, generation: 0, outdated: false, changed: [], kept: null, first: true };
  return row && knownOf(row);
}

function knownOf({ generation, held, visibility, seen, key, made_seen, summary }: MetRow): Known | null {
  if (generation === null || held === null || visibility === null || seen === null) return null;
  const kept = key !== null && made_seen !== null && summary !== null ? { key, seen: made_seen, summary } : null;
  return { generation, held, visibility, seen, kept };
}

async function keptOf(sql: Sql, threadId: string, variant: string): Promise<Kept | null> {
  return one<{ key: string; seen: string; summary: Summary }>(
    sql,
    'SELECT key, seen, summary FROM summary_made WHERE thread_id = $1 AND variant = $2',
    [threadId, variant],
  );
}
