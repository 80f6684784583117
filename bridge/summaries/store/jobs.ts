import type { Job, Summary, SummaryEvents } from '../../../shared/contract/summary.ts';
import { type Database, one, type Sql } from '../../store/database.ts';
import type { Priority } from '../types.ts';

export interface NewJob {
  readonly id: string;
  readonly caller: string;
  readonly digest: string;
  readonly threadId: string;
  readonly priority: Priority;
  /** The parsed request, as JSON. */
  readonly body: string;
  readonly acceptedAt: Date;
}

export type JobResult =
  | { readonly kind: 'accepted'; readonly acceptedAt: Date; readonly replayed: boolean }
  /** The id belongs to another job. */
  | { readonly kind: 'conflict' }
  /** Too many jobs wait already. */
  | { readonly kind: 'full'; readonly waiting: number };

/** A job this bridge holds the lease of. */
export interface ClaimedJob {
  readonly id: string;
  readonly caller: string;
  readonly acceptedAt: Date;
  /** Earlier attempts that reached the model and came to nothing. */
  readonly attempts: number;
  /** How often it was claimed, this time included, since one reached the model or gave it back in order. */
  readonly claims: number;
  readonly body: unknown;
}

interface JobRow {
  id: string;
  thread_id: string;
  state: Job['state'];
  accepted_at: Date;
  settled_at: Date | null;
  progress: Job['progress'];
  result: Summary | null;
  error: Job['error'];
}

/** Jobs that may wait, and bytes of them all: what is accepted must fit the store. */
const WAITING_MAX = 1000;
const WAITING_BYTES_MAX = 256 * 1024 * 1024;
/** Phase of a job that no generation is under way for: `done` counts its claims until one is. Whoever asks is told that it is queued. */
const CLAIMED = 'claimed';
const LEASE_SECONDS = 30;
/** How often the lease is to be renewed. */
export const RENEW_MS = (LEASE_SECONDS * 1000) / 3;

/** Durable jobs. One bridge at a time works on a job: it holds a lease, which runs out by itself where its holder died. */
export class JobStore {
  readonly #database: Database;
  readonly #owner: string;

  constructor(database: Database, owner: string) {
    this.#database = database;
    this.#owner = owner;
  }

  /** Nobody else can have an embedded store open: a lease found there is a dead process's. */
  async start(): Promise<void> {
    if (this.#database.kind === 'embedded')
      await this.#database.query('UPDATE summary_job SET lease_until = NULL, lease_owner = NULL');
  }

  async accept(job: NewJob): Promise<JobResult> {
    const inserted = await this.#database.query(
      `INSERT INTO summary_job (id, accepted_at, caller, digest, thread_id, priority, body, bytes, state)
       SELECT $1::text, $2::timestamptz, $3::text, $4::text, $5::text, $6::text, $7::text::jsonb, $8::integer, 'queued'
       WHERE (SELECT count(*) < ${WAITING_MAX} AND coalesce(sum(bytes), 0) + $8::integer <= ${WAITING_BYTES_MAX}
              FROM summary_job WHERE state IN ('queued', 'running'))
       ON CONFLICT (id) DO NOTHING RETURNING id`,
      [
        job.id,
        job.acceptedAt.toISOString(),
        job.caller,
        job.digest,
        job.threadId,
        job.priority,
        job.body,
        Buffer.byteLength(job.body),
      ],
    );
    if (inserted.length > 0) return { kind: 'accepted', acceptedAt: job.acceptedAt, replayed: false };
    const known = await one<{ digest: string; accepted_at: Date }>(
      this.#database,
      'SELECT digest, accepted_at FROM summary_job WHERE id = $1',
      [job.id],
    );
    if (!known) return { kind: 'full', waiting: await this.waiting() };
    if (known.digest !== job.digest) return { kind: 'conflict' };
    return { kind: 'accepted', acceptedAt: known.accepted_at, replayed: true };
  }

  async read(id: string): Promise<Job | null> {
    const row = await one<JobRow>(
      this.#database,
      'SELECT id, thread_id, state, accepted_at, settled_at, progress, result, error FROM summary_job WHERE id = $1',
      [id],
    );
    if (!row) return null;
    return {
      id: row.id,
      threadId: row.thread_id,
      state: row.state,
      acceptedAt: row.accepted_at.toISOString(),
      settledAt: row.settled_at?.toISOString() ?? null,
      progress: row.state === 'running' ? shown(row.progress) : null,
      summary: row.result,
      error: row.error,
    };
  }

  async waiting(): Promise<number> {
    const row = await one<{ count: number }>(
      this.#database,
      `SELECT count(*) AS count FROM summary_job WHERE state IN ('queued', 'running')`,
    );
    return row?.count ?? 0;
  }

  /** The oldest job nobody works on, interactive ones first; null where there is none. */
  async claim(): Promise<ClaimedJob | null> {
    const row = await one<Omit<ClaimedJob, 'acceptedAt'> & { accepted_at: Date }>(
      this.#database,
      `UPDATE summary_job SET state = 'running', lease_owner = $1,
              attempts = attempts + (coalesce(progress->>'phase', '${CLAIMED}') NOT IN ('${CLAIMED}', 'queued'))::integer,
              progress = jsonb_build_object('phase', '${CLAIMED}', 'total', 0, 'done',
                CASE WHEN progress->>'phase' = '${CLAIMED}' THEN (progress->>'done')::integer + 1 ELSE 1 END),
              lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
       WHERE seq = (SELECT seq FROM summary_job WHERE state IN ('queued', 'running')
                      AND (lease_until IS NULL OR lease_until < clock_timestamp())
                    ORDER BY priority DESC, seq LIMIT 1 FOR UPDATE SKIP LOCKED)
       RETURNING id, caller, accepted_at, attempts, (progress->>'done')::integer AS claims, body`,
      [this.#owner],
    );
    return row && { ...row, acceptedAt: row.accepted_at };
  }

  /** @returns the jobs whose lease this bridge still holds. */
  async renew(ids: readonly string[]): Promise<Set<string>> {
    const rows = await this.#database.query<{ id: string }>(
      `UPDATE summary_job SET lease_until = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS})
       WHERE id = ANY($1) AND lease_owner = $2 AND state = 'running' RETURNING id`,
      [ids, this.#owner],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /** Writes down how far the model is. Only once this was called, the attempt counts. */
  async progress(id: string, { phase, done, total }: SummaryEvents['progress']): Promise<void> {
    await this.#database.query('UPDATE summary_job SET progress = $3::text::jsonb WHERE id = $1 AND lease_owner = $2', [
      id,
      this.#owner,
      JSON.stringify({ phase, done, total }),
    ]);
  }

  /** Ends jobs with their summary, within the transaction that stores it under the thread. The request is not kept any longer. */
  async done(sql: Sql, ids: readonly string[], summary: Summary, now: Date): Promise<void> {
    if (ids.length === 0) return;
    await sql.query(
      `UPDATE summary_job SET state = 'done', body = NULL, result = $3::text::jsonb, settled_at = $4, lease_owner = NULL, lease_until = NULL
       WHERE id = ANY($1) AND lease_owner = $2 AND state = 'running'`,
      [ids, this.#owner, JSON.stringify(summary), now.toISOString()],
    );
  }

  /**
   * Ends a job with a summary that is stored already, or not at all, unless a comment was edited or removed since `generation`: a
   * removal goes before the one statement, or finds the job done and takes the summary back.
   * @returns false where the thread has moved on, or the job is not this bridge's any more.
   */
  async settle(id: string, summary: Summary, generation: number, now: Date): Promise<boolean> {
    const rows = await this.#database.query(
      `WITH head AS (
         SELECT summary_thread.id FROM summary_thread JOIN summary_job ON summary_job.thread_id = summary_thread.id
         WHERE summary_job.id = $1 AND summary_thread.generation = $5 FOR UPDATE OF summary_thread)
       UPDATE summary_job SET state = 'done', body = NULL, result = $3::text::jsonb, settled_at = $4, lease_owner = NULL, lease_until = NULL
       FROM head WHERE summary_job.id = $1 AND lease_owner = $2 AND state = 'running' RETURNING summary_job.id`,
      [id, this.#owner, JSON.stringify(summary), now.toISOString(), generation],
    );
    return rows.length > 0;
  }

  async fail(id: string, error: { code: string; message: string }, now: Date): Promise<void> {
    await this.#database.query(
      `UPDATE summary_job SET state = 'failed', body = NULL, error = $3::text::jsonb, settled_at = $4, lease_owner = NULL, lease_until = NULL
       WHERE id = $1 AND lease_owner = $2 AND state = 'running'`,
      [id, this.#owner, JSON.stringify(error), now.toISOString()],
    );
  }

  /** Gives jobs back; an attempt that was broken off by an orderly end does not count. */
  async release(ids: readonly string[]): Promise<void> {
    await this.#database.query(
      `UPDATE summary_job SET state = 'queued', progress = NULL, lease_owner = NULL, lease_until = NULL
       WHERE id = ANY($1) AND lease_owner = $2 AND state = 'running'`,
      [ids, this.#owner],
    );
  }

  /**
   * Gives a job back that is to be tried again, no earlier than after `ms`.
   * @returns false where it has ended already, or is another bridge's.
   */
  async postpone(id: string, ms: number, counts: boolean): Promise<boolean> {
    const rows = await this.#database.query(
      `UPDATE summary_job SET state = 'queued', progress = CASE WHEN $4::boolean THEN progress END, lease_owner = NULL,
              lease_until = clock_timestamp() + make_interval(secs => $3)
       WHERE id = $1 AND lease_owner = $2 AND state = 'running' RETURNING id`,
      [id, this.#owner, ms / 1000, counts],
    );
    return rows.length > 0;
  }

  /** Forgets what was settled before; the ids are free again then. */
  async forget(before: Date): Promise<number> {
    const rows = await this.#database.query('DELETE FROM summary_job WHERE settled_at < $1 RETURNING id', [
      before.toISOString(),
    ]);
    return rows.length;
  }
}

function shown(progress: Job['progress']): Job['progress'] {
  return progress?.phase === CLAIMED ? { phase: 'queued', done: 0, total: 0 } : progress;
}
