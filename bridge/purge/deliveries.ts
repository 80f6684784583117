import type { Batch, QueuedPurge } from '../policy/purge-plan.ts';
import { type Database, one } from '../store/database.ts';
import { storedPurge } from './outbox.ts';
import type { Target } from './target.ts';
import { Watermark, type Writer } from './watermark.ts';

/** A batch that was promised to a target and is not settled. Its row is written before its first attempt. */
export interface OpenBatch {
  readonly id: string;
  readonly attempts: number;
  readonly nextAttemptAt: Date | null;
  readonly batch: Batch<unknown>;
}

/** Purges wait, and so must delivery: their order is open until these transactions have ended. */
export interface Held {
  readonly heldBy: readonly Writer[];
}

interface PositionRow {
  cursor: number;
  /** Cursor of the target it follows; the highest number seen where it follows none. */
  upper: number | null;
  /** The open batch, where there is one. */
  id: string | null;
  first_seq: number;
  last_seq: number;
  attempts: number;
  next_attempt_at: Date | null;
}

const LEASE_SECONDS = 18;
/** Purges read at a time: a page of the largest bodies stays below 50 MB. */
const PAGE = 200;
/** Purges of no concern to a target that may pile up before its cursor. */
const PASS_OVER = 1000;
/** Purges joined in one call at most. */
const JOINED_MAX = 5000;

/** What each target has had, as rows: a cursor per target, and every call made with its attempts and outcome. */
export class Deliveries {
  readonly #database: Database;
  readonly #owner: string;
  readonly #watermark: Watermark;
  readonly #leasedAt = new Map<string, number>();

  constructor(database: Database, owner: string) {
    this.#database = database;
    this.#owner = owner;
    this.#watermark = new Watermark(database);
  }

  /** Makes the target known; a new one starts with the next purge, not with the history. */
  async register(target: string): Promise<void> {
    await this.#database.query(
      `INSERT INTO target (name, cursor) SELECT $1, coalesce(max(seq), 0) FROM purge ON CONFLICT (name) DO NOTHING`,
      [target],
    );
    // Nobody else can have an embedded store open: a lease found there is a dead process's.
    if (this.#database.kind === 'embedded') {
      await this.#database.query('UPDATE target SET lease_owner = NULL WHERE name = $1', [target]);
    }
  }

  /**
   * One bridge at a time delivers to a target, so that order holds; the lease runs out by itself where its holder died. Renewed when a
   * third of it is gone, so that an attempt, which is shorter than the rest, never outlives it.
   */
  async lease(target: string, nowMs: number): Promise<boolean> {
    if (nowMs - (this.#leasedAt.get(target) ?? Number.NEGATIVE_INFINITY) < (LEASE_SECONDS * 1000) / 3) return true;
    const rows = await this.#database.query(
      `UPDATE target SET lease_owner = $2, lease_until = clock_timestamp() + make_interval(secs => $3)
       WHERE name = $1 AND (lease_owner IS NULL OR lease_owner = $2 OR lease_until < clock_timestamp()) RETURNING name`,
      [target, this.#owner, LEASE_SECONDS],
    );
    if (rows.length === 0) return false;
    this.#leasedAt.set(target, nowMs);
    return true;
  }

  async release(): Promise<void> {
    await this.#database.query('UPDATE target SET lease_owner = NULL WHERE lease_owner = $1', [this.#owner]);
  }

  /** The batch under way, or a new one from the queue, or null where nothing waits. Only the holder of the lease may ask. */
  async next(target: Target, now: Date): Promise<OpenBatch | Held | null> {
    const at = await one<PositionRow>(
      this.#database,
      `SELECT target.cursor, CASE WHEN $2::text IS NULL THEN (SELECT max(seq) FROM purge) ELSE before.cursor END AS upper, batch.id, batch.first_seq, batch.last_seq, batch.attempts, batch.next_attempt_at
       FROM target LEFT JOIN target AS before ON before.name = $2
       LEFT JOIN batch ON batch.target = target.name AND batch.state = 'open'
       WHERE target.name = $1`,
      [target.name, target.after],
    );
    if (!at) throw new Error(`target ${target.name} is not registered`);
    return at.id === null ? this.#form(target, at, now) : this.#resume(target, at);
  }

  async #resume(target: Target, at: PositionRow): Promise<OpenBatch | null> {
    // The same rows give the same call: purges are never edited, so a repeated id always carries the same content.
    const batch = await this.#plan(target, at.first_seq - 1, at.last_seq);
    if (batch?.lastSeq === at.last_seq)
      return { id: at.id ?? '', attempts: at.attempts, nextAttemptAt: at.next_attempt_at, batch };
    // A version with other limits made it. What it covers goes back to the queue and out under another id.
    await this.#database.query('DELETE FROM batch WHERE id = $1', [at.id]);
    return null;
  }

  async #form(target: Target, at: PositionRow, now: Date): Promise<OpenBatch | Held | null> {
    let upper = at.upper ?? 0;
    if (upper <= at.cursor) return null;
    // An embedded store has one connection, hence no writer under way.
    if (target.after === null && this.#database.kind === 'postgres') {
      const settled = await this.#watermark.upTo(at.cursor);
      if (settled.seq <= at.cursor) return settled.writers.length > 0 ? { heldBy: settled.writers } : null;
      upper = settled.seq;
    }
    const batch = await this.#plan(target, at.cursor, upper);
    if (!batch) {
      // Worth a write only where a good part of the queue can be passed over: looking again costs nothing, an index holds the rest.
      if (upper - at.cursor > PASS_OVER) {
        await this.#database.query('UPDATE target SET cursor = $2 WHERE name = $1', [target.name, upper]);
      }
      return null;
    }
    const id = `${target.name}-${batch.firstSeq}-${batch.lastSeq}-${crypto.randomUUID().slice(0, 8)}`;
    await this.#database.query(
      `INSERT INTO batch (id, target, first_seq, last_seq, purges, state, created_at) VALUES ($1, $2, $3, $4, $5, 'open', $6)`,
      [id, target.name, batch.firstSeq, batch.lastSeq, batch.purges, now.toISOString()],
    );
    return { id, attempts: 0, nextAttemptAt: null, batch };
  }

  /** Reads the queue page by page until the plan stops growing. */
  async #plan(target: Target, after: number, upTo: number): Promise<Batch<unknown> | null> {
    const queue: QueuedPurge[] = [];
    let plan: Batch<unknown> | null = null;
    let position = after;
    for (;;) {
      const rows = await this.#database.query<{ seq: number; body: unknown }>(
        `SELECT seq, body FROM purge WHERE seq > $1 AND seq <= $2 ${target.concerns ? `AND ${target.concerns}` : ''}
         ORDER BY seq LIMIT ${PAGE}`,
        [position, upTo],
      );
      for (const row of rows) queue.push({ seq: row.seq, body: storedPurge(row.body) });
      position = queue.at(-1)?.seq ?? upTo;
      plan = target.plan(queue);
      const wholeQueueFits = plan !== null && plan.lastSeq === queue.at(-1)?.seq;
      if (rows.length < PAGE || !wholeQueueFits || queue.length >= JOINED_MAX) return plan;
    }
  }

  /** Ends a batch and moves the cursor over it, in one statement. */
  async settle(id: string, state: 'delivered' | 'rejected', now: Date, report: SettledReport): Promise<void> {
    await this.#database.query(
      `WITH done AS (
         UPDATE batch SET state = $2, attempts = attempts + 1, last_attempt_at = $3, settled_at = $3, next_attempt_at = NULL,
                error = $4, outcome = $5::text::jsonb
         WHERE id = $1 AND state = 'open' RETURNING target, last_seq)
       UPDATE target SET cursor = done.last_seq FROM done WHERE target.name = done.target`,
      [id, state, now.toISOString(), report.error, report.outcome === null ? null : JSON.stringify(report.outcome)],
    );
  }

  async postpone(id: string, now: Date, nextAttemptAt: Date, error: string): Promise<void> {
    await this.#database.query(
      'UPDATE batch SET attempts = attempts + 1, last_attempt_at = $2, next_attempt_at = $3, error = $4 WHERE id = $1',
      [id, now.toISOString(), nextAttemptAt.toISOString(), error],
    );
  }

  /** A refused batch of several purges becomes its first half, under a new id; the rest returns to the queue. */
  async part(open: OpenBatch, target: Target, now: Date): Promise<void> {
    const { firstSeq, lastSeq, purges } = open.batch;
    await this.#database.transaction(async (sql) => {
      const middle = await one<{ seq: number }>(
        sql,
        `SELECT seq FROM purge WHERE seq >= $1 AND seq <= $2 ${target.concerns ? `AND ${target.concerns}` : ''}
         ORDER BY seq OFFSET $3 LIMIT 1`,
        [firstSeq, lastSeq, Math.ceil(purges / 2) - 1],
      );
      await sql.query('DELETE FROM batch WHERE id = $1', [open.id]);
      await sql.query(
        `INSERT INTO batch (id, target, first_seq, last_seq, purges, state, created_at) VALUES ($1, $2, $3, $4, $5, 'open', $6)`,
        [
          `${target.name}-${firstSeq}-${middle?.seq ?? firstSeq}-${crypto.randomUUID().slice(0, 8)}`,
          target.name,
          firstSeq,
          middle?.seq ?? firstSeq,
          Math.ceil(purges / 2),
          now.toISOString(),
        ],
      );
    });
  }
}

export interface SettledReport {
  readonly error: string | null;
  readonly outcome: Record<string, unknown> | null;
}
