import { createHash } from 'node:crypto';
import type { Summary } from '../../../shared/contract/summary.ts';
import { type Database, one, type Sql } from '../../store/database.ts';
import { threadDigest } from '../digest.ts';
import type { ThreadRecord } from '../types.ts';
import { arrive, arriveFirst } from './arrival.ts';
import type { Arriving, HeadRow, Kept, Standing, Visibility } from './head.ts';
import type { Held } from './held.ts';
import { type Removed, removeComment, removeThread } from './removal.ts';
import { purgeThread, type Withdrawing } from './withdraw.ts';

export interface Saving {
  readonly threadId: string;
  readonly variant: string;
  readonly generation: number;
  readonly key: string;
  readonly seen: string;
  readonly summary: Summary;
  readonly record: ThreadRecord | null;
}

export interface Glance {
  readonly generation: number;
  readonly held: Held;
  readonly visibility: Visibility;
  /** Digest of the newest state of the thread. */
  readonly seen: string;
  readonly kept: Kept | null;
}
type GlanceRow = Pick<HeadRow, 'generation' | 'held' | 'visibility' | 'seen'> & {
  key: string | null;
  made_seen: string | null;
  summary: Summary | null;
};

/** Threads with what was made of them. A removal raises a thread's generation, and what was begun before it is not taken. */
export class Threads {
  readonly #database: Database;
  readonly #withdrawing: Withdrawing;
  /** Requests that say the same of a thread at the same time are one. */
  readonly #arriving = new Map<string, Promise<Standing>>();

  constructor(database: Database, withdrawing: Withdrawing) {
    this.#database = database;
    this.#withdrawing = withdrawing;
  }

  /** What is known of a thread, without taking note of anything; null where nothing is. */
  async glance(threadId: string, variant: string): Promise<Glance | null> {
    const row = await one<GlanceRow>(
      this.#database,
      `SELECT head.generation, head.held, head.visibility, head.seen, made.key, made.seen AS made_seen, made.summary
       FROM summary_thread AS head LEFT JOIN summary_made AS made ON made.thread_id = head.id AND made.variant = $2
       WHERE head.id = $1`,
      [threadId, variant],
    );
    if (!row) return null;
    const { key, made_seen: seen, summary } = row;
    const kept = key !== null && seen !== null && summary !== null ? { key, seen, summary } : null;
    return { generation: row.generation, held: row.held, visibility: row.visibility, seen: row.seen, kept };
  }

  /**
   * Takes note of the thread as the request shows it. Comments that were edited or removed are withdrawn here and at the edge in this
   * one transaction, before anything is generated.
   */
  arrive(arriving: Arriving): Promise<Standing> {
    const { threadId, variant, visibility, digests } = arriving;
    const name = `${threadId} ${variant} ${visibility} ${threadDigest(digests)}`;
    const known = this.#arriving.get(name);
    if (known) return known;
    const standing = arriveFirst(this.#database, arriving).then(
      (first) => first ?? this.#settling((sql, parts) => arrive(sql, arriving, parts)),
    );
    this.#arriving.set(name, standing);
    return standing.finally(() => this.#arriving.delete(name));
  }

  /** What is kept and remembered of a thread, as it is now. */
  async made(threadId: string, variant: string): Promise<{ kept: Kept | null; record: ThreadRecord | null }> {
    const row = await one<{ key: string | null; seen: string; summary: Summary; record: ThreadRecord | null }>(
      this.#database,
      `SELECT made.key, made.seen, made.summary, head.record
       FROM summary_thread AS head LEFT JOIN summary_made AS made ON made.thread_id = head.id AND made.variant = $2
       WHERE head.id = $1`,
      [threadId, variant],
    );
    if (!row) return { kept: null, record: null };
    const { key, seen, summary, record } = row;
    return { kept: key === null ? null : { key, seen, summary }, record };
  }

  /**
   * Keeps what was made, purges the edge, and does whatever must not happen without it, in one transaction.
   * @returns false where a comment it was made from has been edited or removed meanwhile, or all of the thread.
   */
  save(made: Saving, alongside: (sql: Sql) => Promise<void>): Promise<boolean> {
    return this.#settling(async (sql, parts) => {
      const head = await one<Pick<HeadRow, 'generation' | 'visibility' | 'seen'> & { current: boolean | null }>(
        sql,
        `SELECT generation, visibility, seen, (SELECT made.seen = summary_thread.seen FROM summary_made AS made
                WHERE made.thread_id = $1 AND made.variant = $2) AS current
         FROM summary_thread WHERE id = $1 FOR UPDATE`,
        [made.threadId, made.variant],
      );
      if (!head || head.generation !== made.generation) return false;
      // A slower request for an earlier state of the thread does not replace the summary of the newest.
      if (!(head.current && made.seen !== head.seen)) await this.#keep(sql, made, head.visibility, parts);
      await alongside(sql);
      return true;
    });
  }

  async #keep(sql: Sql, made: Saving, visibility: Visibility, parts: Withdrawing): Promise<void> {
    const [row] = await sql.query<{ added: boolean }>(
      `INSERT INTO summary_made (thread_id, variant, key, seen, summary, made_at) VALUES ($1, $2, $3, $4, $5::text::jsonb, $6)
       ON CONFLICT (thread_id, variant) DO UPDATE SET key = $3, seen = $4, summary = $5::text::jsonb, made_at = $6
       RETURNING xmax = 0 AS added`,
      [made.threadId, made.variant, made.key, made.seen, JSON.stringify(made.summary), made.summary.createdAt],
    );
    if (made.record !== null) {
      await sql.query('UPDATE summary_thread SET record = $2::text::jsonb WHERE id = $1', [
        made.threadId,
        JSON.stringify(made.record),
      ]);
    }
    if (row?.added) {
      await sql.query(
        `DELETE FROM summary_made WHERE thread_id = $1 AND variant NOT IN
           (SELECT variant FROM summary_made WHERE thread_id = $1 ORDER BY made_at DESC LIMIT ${VARIANTS_MAX})`,
        [made.threadId],
      );
    }
    if (visibility === 'public') await purgeThread(sql, made.threadId, 'invalidate', parts);
  }

  /** Keeps what a generation that came to nothing has learnt, so that the next one goes on from there. */
  async saveRecord(threadId: string, generation: number, record: ThreadRecord): Promise<void> {
    await this.#database.query('UPDATE summary_thread SET record = $3::text::jsonb WHERE id = $1 AND generation = $2', [
      threadId,
      generation,
      JSON.stringify(record),
    ]);
  }

  /** The last good summary, whoever asked for it; that of the newest state of the thread first. */
  async latest(threadId: string): Promise<{ visibility: Visibility; summary: Summary; etag: string } | null> {
    const row = await one<{ visibility: Visibility; stale: boolean; summary: Summary }>(
      this.#database,
      `SELECT head.visibility, made.seen <> head.seen AS stale, made.summary
       FROM summary_thread AS head JOIN summary_made AS made ON made.thread_id = head.id
       WHERE head.id = $1 ORDER BY made.seen = head.seen DESC, made.made_at DESC LIMIT 1`,
      [threadId],
    );
    if (!row) return null;
    const summary = asKept(row.summary, row.stale);
    const digest = createHash('sha256').update(JSON.stringify(summary)).digest('base64url').slice(0, 27);
    return { visibility: row.visibility, summary, etag: `"${digest}"` };
  }

  remove(threadId: string, now: number): Promise<Removed> {
    return this.#settling((sql, parts) => removeThread(sql, threadId, now, parts));
  }

  removeComment(threadId: string, commentId: string, now: number): Promise<Removed> {
    return this.#settling((sql, parts) => removeComment(sql, threadId, commentId, now, parts));
  }

  /** One transaction; the couriers hear of its purges once it is committed. */
  async #settling<T>(work: (sql: Sql, parts: Withdrawing) => Promise<T>): Promise<T> {
    let purged = false;
    const parts = {
      ...this.#withdrawing,
      purged: () => {
        purged = true;
      },
    };
    const result = await this.#database.transaction((sql) => work(sql, parts));
    if (purged) this.#withdrawing.purged();
    return result;
  }
}

/** Summaries of one thread in different words, languages or lengths that are kept beside each other. */
const VARIANTS_MAX = 8;
/** A stored summary as it is given again: nothing was spent for it. */
export function asKept(summary: Summary, stale: boolean): Summary {
  return {
    ...summary,
    stale,
    cached: true,
    tokens: { prompt: 0, completion: 0 },
    timings: { queuedMs: 0, firstTokenMs: null, generatedMs: 0, totalMs: 0 },
  };
}
