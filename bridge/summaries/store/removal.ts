import type { Sql } from '../../store/database.ts';
import { type HeadRow, lockHead } from './head.ts';
import { hold } from './held.ts';
import { purgeThread, type Withdrawing, withdraw } from './withdraw.ts';

export interface Removed {
  /** Whether a summary could be read before. */
  readonly removed: boolean;
  /** Of the purge at the edge; null where the thread was private, so that the edge held nothing. */
  readonly purgeId: string | null;
}

/** Requests that were put together before a comment was removed have arrived by then. */
const HOLD_MS = 600_000;

/**
 * Removes all that is kept of a thread. Its emptied row stays, so that nothing begun before can come back, and names the comments that
 * what still arrives with them has to do without for a while.
 */
export async function removeThread(sql: Sql, threadId: string, now: number, parts: Withdrawing): Promise<Removed> {
  const at = new Date(now).toISOString();
  const head = await headOf(sql, threadId, at);
  const rows = await sql.query('DELETE FROM summary_made WHERE thread_id = $1 RETURNING variant', [threadId]);
  await sql.query(
    `UPDATE summary_thread SET generation = generation + 1, comments = '{}', seen = '', record = NULL, visibility = 'public', updated_at = $2,
            held = $3::text::jsonb WHERE id = $1`,
    [threadId, at, JSON.stringify(hold(head.held, Object.keys(head.comments), now + HOLD_MS, {}))],
  );
  await sql.query(
    `UPDATE summary_job SET state = 'failed', body = NULL, result = NULL, lease_owner = NULL, settled_at = $2,
            error = '{"code":"removed","message":"The thread was removed."}'::jsonb WHERE thread_id = $1`,
    [threadId, at],
  );
  const purgeId = head.visibility === 'public' ? await purgeThread(sql, threadId, 'delete', parts) : null;
  return { removed: rows.length > 0, purgeId };
}

/** Forgets one comment and whatever was made from it, and leaves it out of what still arrives with it for a while. */
export async function removeComment(
  sql: Sql,
  threadId: string,
  commentId: string,
  now: number,
  parts: Withdrawing,
): Promise<Removed> {
  const head = await headOf(sql, threadId, new Date(now).toISOString());
  const comments = Object.fromEntries(Object.entries(head.comments).filter(([id]) => id !== commentId));
  const held = hold(head.held, [commentId], now + HOLD_MS, {});
  await sql.query(
    'UPDATE summary_thread SET generation = generation + 1, comments = $2::text::jsonb, held = $3::text::jsonb WHERE id = $1',
    [threadId, JSON.stringify(comments), JSON.stringify(held)],
  );
  const removed = await withdraw(sql, threadId, new Set([commentId]), parts);
  const purgeId = head.visibility === 'public' ? await purgeThread(sql, threadId, 'delete', parts) : null;
  return { removed, purgeId };
}

async function headOf(sql: Sql, threadId: string, at: string): Promise<HeadRow> {
  await sql.query(
    `INSERT INTO summary_thread (id, generation, visibility, comments, seen, held, updated_at)
     VALUES ($1, 0, 'public', '{}', '', '{}', $2) ON CONFLICT (id) DO NOTHING`,
    [threadId, at],
  );
  return lockHead(sql, threadId);
}
