import { type PurgeMode, PurgeRequest } from '../../../shared/contract/purge.ts';
import { insertPurges, type NewPurge } from '../../purge/outbox.ts';
import type { Sql } from '../../store/database.ts';
import type { ThreadRecord } from '../types.ts';

export interface Withdrawing {
  readonly now: () => number;
  readonly newId: () => string;
  /** The record without what was made from these comments; null where nothing of it can stay. */
  readonly redact: (record: ThreadRecord, ids: ReadonlySet<string>) => ThreadRecord | null;
  /** A purge was queued; called within the transaction that queues it. */
  readonly purged: () => void;
}

export const threadTag = (threadId: string) => `thread:${threadId}`;

/** The purge of a thread's pages. */
export function purgeOf(threadId: string, mode: PurgeMode, { newId }: Withdrawing): NewPurge {
  const id = newId();
  const body = PurgeRequest.parse({ tags: [threadTag(threadId)], mode });
  return { id, caller: 'bridge:summaries', requestId: id, body };
}

/** Puts the purge of a thread's pages into the outbox, within the caller's transaction. */
export async function purgeThread(sql: Sql, threadId: string, mode: PurgeMode, parts: Withdrawing): Promise<string> {
  const purge = purgeOf(threadId, mode, parts);
  parts.purged();
  await insertPurges(sql, [purge], new Date(parts.now()));
  return purge.id;
}

/**
 * Takes back whatever may hold words of these comments. A summary's prose cites nobody, so a summary goes as a whole if it was made
 * before the change; the record keeps what was made from other comments.
 * @returns whether a summary could be read before.
 */
export async function withdraw(
  sql: Sql,
  threadId: string,
  ids: ReadonlySet<string>,
  parts: Withdrawing,
): Promise<boolean> {
  const shown = await sql.query('DELETE FROM summary_made WHERE thread_id = $1 RETURNING variant', [threadId]);
  const [head] = await sql.query<{ record: ThreadRecord | null }>('SELECT record FROM summary_thread WHERE id = $1', [
    threadId,
  ]);
  if (head?.record) {
    const redacted = parts.redact(head.record, ids);
    await sql.query('UPDATE summary_thread SET record = $2::text::jsonb WHERE id = $1', [
      threadId,
      redacted === null ? null : JSON.stringify(redacted),
    ]);
  }
  await sql.query(
    `UPDATE summary_job SET state = 'failed', result = NULL,
            error = '{"code":"withdrawn","message":"A comment it was made from was edited or removed: ask again."}'::jsonb
     WHERE thread_id = $1 AND state = 'done'`,
    [threadId],
  );
  return shown.length > 0;
}
