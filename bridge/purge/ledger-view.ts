import type { PurgeRequest, PurgeStatus, TargetStatus } from '../../shared/contract/purge.ts';
import { one, type Sql } from '../store/database.ts';
import { storedPurge } from './outbox.ts';

interface PurgeRow {
  seq: number;
  id: string;
  accepted_at: Date;
  caller: string;
  body: unknown;
}
interface TargetRow {
  name: string;
  cursor: number;
  id: string | null;
  state: 'open' | 'delivered' | 'rejected' | null;
  attempts: number | null;
  last_attempt_at: Date | null;
  next_attempt_at: Date | null;
  settled_at: Date | null;
  error: string | null;
  outcome: Record<string, unknown> | null;
}

/** What became of a purge at each of the targets in use. */
export async function purgeStatus(sql: Sql, id: string, targets: readonly string[]): Promise<PurgeStatus | null> {
  const purge = await one<PurgeRow>(sql, 'SELECT seq, id, accepted_at, caller, body FROM purge WHERE id = $1', [id]);
  if (!purge) return null;
  const rows = await sql.query<TargetRow>(
    `SELECT target.name, target.cursor, batch.id, batch.state, batch.attempts, batch.last_attempt_at, batch.next_attempt_at,
            batch.settled_at, batch.error, batch.outcome
     FROM target LEFT JOIN batch ON batch.target = target.name AND batch.first_seq <= $1 AND batch.last_seq >= $1
     WHERE target.name = ANY($2) ORDER BY target.name`,
    [purge.seq, targets],
  );
  const request = storedPurge(purge.body);
  const states = rows.map((row) => targetStatus(row, purge.seq, request));
  return {
    id: purge.id,
    acceptedAt: purge.accepted_at.toISOString(),
    caller: purge.caller,
    state: overall(states),
    request,
    targets: states,
  };
}

function targetStatus(row: TargetRow, seq: number, request: PurgeRequest): TargetStatus {
  const base = { target: row.name, attempts: row.attempts ?? 0 };
  if (row.name === 'warm' && request.warm === undefined) return { ...base, attempts: 0, state: 'nothing-to-do' };
  if (row.id === null) return { ...base, state: row.cursor >= seq ? 'nothing-to-do' : 'queued' };
  return {
    ...base,
    state: row.state === 'open' || row.state === null ? 'delivering' : row.state,
    batch: row.id,
    ...(row.last_attempt_at ? { lastAttemptAt: row.last_attempt_at.toISOString() } : {}),
    ...(row.next_attempt_at ? { nextAttemptAt: row.next_attempt_at.toISOString() } : {}),
    ...(row.settled_at ? { settledAt: row.settled_at.toISOString() } : {}),
    ...(row.error === null ? {} : { error: row.error }),
    ...(row.outcome === null ? {} : { outcome: row.outcome }),
  };
}

function overall(targets: readonly TargetStatus[]): PurgeStatus['state'] {
  if (targets.some((target) => target.state === 'queued' || target.state === 'delivering')) return 'pending';
  return targets.some((target) => target.state === 'rejected') ? 'rejected' : 'delivered';
}

export interface Backlog {
  readonly target: string;
  readonly pending: number;
  readonly oldestSeconds: number;
  readonly attempts: number;
  readonly error: string | null;
}

/** How much waits for each target, and for how long already. */
export async function backlogs(sql: Sql, targets: readonly string[], nowMs: number): Promise<Backlog[]> {
  const rows = await sql.query<{
    name: string;
    pending: number;
    oldest: Date | null;
    attempts: number | null;
    error: string | null;
  }>(
    // Depth as a distance between sequence numbers: numbers burnt by a repeated id count in, but nothing has to be counted.
    `SELECT target.name, batch.attempts, batch.error,
            CASE WHEN target.name = 'warm' THEN (SELECT count(*) FROM purge WHERE body ? 'warm' AND seq > target.cursor)
                 ELSE greatest((SELECT coalesce(max(seq), 0) FROM purge) - target.cursor, 0) END AS pending,
            CASE WHEN target.name = 'warm'
                 THEN (SELECT accepted_at FROM purge WHERE body ? 'warm' AND seq > target.cursor ORDER BY seq LIMIT 1)
                 ELSE (SELECT accepted_at FROM purge WHERE seq > target.cursor ORDER BY seq LIMIT 1) END AS oldest
     FROM target LEFT JOIN batch ON batch.target = target.name AND batch.state = 'open'
     WHERE target.name = ANY($1) ORDER BY target.name`,
    [targets],
  );
  return rows.map((row) => ({
    target: row.name,
    pending: row.pending,
    oldestSeconds: row.oldest ? Math.max(0, (nowMs - row.oldest.getTime()) / 1000) : 0,
    attempts: row.attempts ?? 0,
    error: row.error,
  }));
}

/** Forgets what every target has had and is older than the retention; ids become free again then. */
export async function forgetOld(sql: Sql, targets: readonly string[], before: Date): Promise<number> {
  const deleted = await sql.query(
    `DELETE FROM purge WHERE accepted_at < $1 AND seq <= (SELECT min(cursor) FROM target WHERE name = ANY($2)) RETURNING seq`,
    [before.toISOString(), targets],
  );
  await sql.query(
    `DELETE FROM batch WHERE state <> 'open' AND last_seq < (SELECT coalesce(min(seq), 9223372036854775807) FROM purge)`,
  );
  return deleted.length;
}
