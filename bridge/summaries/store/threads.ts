import { createHash } from 'node:crypto';
import type { Summary } from '../../../shared/contract/summary.ts';
import { type Database, one, type Sql } from '../../store/database.ts';
import { threadDigest } from '../digest.ts';
import type { ThreadRecord } from '../types.ts';
import { arrive, glance, type Known, meet } from './arrival.ts';
import type { Arriving, Kept, Standing, Visibility } from './head.ts';
import { keep, type Saved, type Saving } from './keep.ts';
import { Lately } from './lately.ts';
import { type Removed, removeComment, removeThread } from './removal.ts';
import type { Withdrawing } from './withdraw.ts';

/** What is kept and remembered of a thread; `generation` is null where nothing is known of it. */
export interface MadeBefore {
  readonly generation: number | null;
  readonly kept: Kept | null;
  readonly record: ThreadRecord | null;
}

interface MadeRow {
  generation: number;
  key: string | null;
  seen: string;
  summary: Summary;
  record: ThreadRecord | null;
}

/** Threads that are remembered by their ids; another statement is asked of them first, which costs less. */
const MET_MAX = 10_000;

/** Threads with what was made of them. A removal raises a thread's generation, and what was begun before it is not taken. */
export class Threads {
  readonly #database: Database;
  readonly #withdrawing: Withdrawing;
  readonly #met = new Lately(MET_MAX);
  readonly #meeting = new Map<string, Promise<Known | Standing>>();
  readonly #arriving = new Map<string, Promise<Standing>>();

  constructor(database: Database, withdrawing: Withdrawing) {
    this.#database = database;
    this.#withdrawing = withdrawing;
  }

  /** What is known of a thread, without taking note of anything; null where nothing is. */
  glance(threadId: string, variant: string): Promise<Known | null> {
    return glance(this.#database, threadId, variant);
  }

  /** What is known of the thread of a request; one that nothing is known of is taken note of. */
  meet(arriving: Arriving): Promise<Known | Standing> {
    return this.#once(this.#meeting, arriving, async () => {
      const { threadId, variant } = arriving;
      const known = this.hasMet(threadId) ? await this.glance(threadId, variant) : null;
      this.#met.add(threadId);
      return known ?? (await meet(this.#database, arriving)) ?? this.arrive(arriving);
    });
  }

  /** Whether the thread was met lately: then the store knows it, unless it was removed meanwhile. */
  hasMet(threadId: string): boolean {
    return this.#met.has(threadId);
  }

  /**
   * Takes note of the thread as the request shows it. Comments that were edited or removed are withdrawn here and at the edge in this
   * one transaction, before anything is generated.
   */
  arrive(arriving: Arriving): Promise<Standing> {
    return this.#once(this.#arriving, arriving, () => this.#settling((sql, parts) => arrive(sql, arriving, parts)));
  }

  /** What is kept and remembered of a thread, as it is now. */
  async made(threadId: string, variant: string): Promise<MadeBefore> {
    const row = await one<MadeRow>(
      this.#database,
      `SELECT head.generation, made.key, made.seen, made.summary, head.record
       FROM summary_thread AS head LEFT JOIN summary_made AS made ON made.thread_id = head.id AND made.variant = $2
       WHERE head.id = $1`,
      [threadId, variant],
    );
    if (!row) return { generation: null, kept: null, record: null };
    const { generation, key, seen, summary, record } = row;
    return { generation, kept: key === null ? null : { key, seen, summary }, record };
  }

  /**
   * Keeps what was made, purges the edge, and does whatever must not happen without it (`alongside`), all or nothing; on the disk when
   * this ends where there is such, else moments later.
   */
  async save(made: Saving, alongside?: (sql: Sql) => Promise<void>): Promise<Saved> {
    if (alongside === undefined)
      return this.#announcing((parts) => keep(this.#database, made, parts, { durable: false }));
    return this.#settling(async (sql, parts) => {
      const kept = await keep(sql, made, parts, { durable: true });
      if (kept !== 'moved-on') await alongside(sql);
      return kept;
    });
  }

  /**
   * Keeps what a generation has learnt, so that the next one goes on from there; not where the thread has moved on. On the disk
   * moments later: a crash until then costs reading the comments again, and nothing else.
   */
  async saveRecord(threadId: string, generation: number, record: ThreadRecord): Promise<void> {
    await this.#database.query(
      `WITH learnt AS (UPDATE summary_thread SET record = $3::text::jsonb WHERE id = $1 AND generation = $2 RETURNING id)
       SELECT set_config('synchronous_commit', 'off', true) FROM learnt`,
      [threadId, generation, JSON.stringify(record)],
    );
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
  #settling<T>(work: (sql: Sql, parts: Withdrawing) => Promise<T>): Promise<T> {
    return this.#announcing((parts) => this.#database.transaction((sql) => work(sql, parts)));
  }

  async #announcing<T>(work: (parts: Withdrawing) => Promise<T>): Promise<T> {
    let purged = false;
    const parts = {
      ...this.#withdrawing,
      purged: () => {
        purged = true;
      },
    };
    const result = await work(parts);
    if (purged) this.#withdrawing.purged();
    return result;
  }

  /** Requests that say the same of a thread at the same time are one. */
  #once<T>(under: Map<string, Promise<T>>, arriving: Arriving, work: () => Promise<T>): Promise<T> {
    const { threadId, variant, visibility, digests } = arriving;
    const name = `${threadId} ${variant} ${visibility} ${threadDigest(digests)}`;
    const known = under.get(name);
    if (known) return known;
    const working = work();
    under.set(name, working);
    return working.finally(() => under.delete(name));
  }
}

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
