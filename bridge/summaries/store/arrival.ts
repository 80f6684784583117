import type { Summary } from '../../../shared/contract/summary.ts';
import { one, type Sql } from '../../store/database.ts';
import { changedComments, threadDigest } from '../digest.ts';
import { type Arriving, type Kept, lockHead, type Standing } from './head.ts';
import { hold, usable } from './held.ts';
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

/** Takes note of a thread nothing is known of, in one statement; null where something is. */
export async function arriveFirst(sql: Sql, arriving: Arriving): Promise<Standing | null> {
  const { threadId, visibility, comments, digests, acceptedAt } = arriving;
  const seen = threadDigest(digests);
  const inserted = await sql.query(
    `INSERT INTO summary_thread (id, generation, visibility, comments, seen, held, updated_at)
     VALUES ($1, 0, $2, $3::text::jsonb, $4, '{}', $5) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [threadId, visibility, JSON.stringify(digests), seen, new Date(acceptedAt).toISOString()],
  );
  if (inserted.length === 0) return null;
  return { comments, seen, generation: 0, outdated: false, changed: [], kept: null };
}

async function keptOf(sql: Sql, threadId: string, variant: string): Promise<Kept | null> {
  return one<{ key: string; seen: string; summary: Summary }>(
    sql,
    'SELECT key, seen, summary FROM summary_made WHERE thread_id = $1 AND variant = $2',
    [threadId, variant],
  );
}
