import { createHash } from 'node:crypto';
import { PurgeRequest } from '../../shared/contract/purge.ts';
import { isDataError, type Sql } from '../store/database.ts';

export interface NewPurge {
  readonly id: string;
  readonly caller: string;
  readonly requestId: string;
  readonly body: PurgeRequest;
}

export type AcceptResult =
  | { readonly kind: 'accepted'; readonly id: string; readonly acceptedAt: Date; readonly replayed: boolean }
  /** The id belongs to another purge. */
  | { readonly kind: 'conflict' }
  /** The store can never hold it. */
  | { readonly kind: 'unstorable' }
  /** Not durable, so not accepted. */
  | { readonly kind: 'unavailable'; readonly reason: string };

interface Waiting {
  readonly purge: NewPurge;
  readonly digest: string;
  answer(result: AcceptResult): void;
}

/** Requests waiting for the statement under way; past it the store is too slow for its callers. */
const WAITING_MAX = 5000;
const TOGETHER_MAX = 500;

export interface OutboxOptions {
  readonly now: () => number;
  /** Whether the store has room for more. */
  readonly hasRoom: () => boolean;
  readonly accepted: (count: number) => void;
}

/**
 * Takes purges in. Those that arrive while a statement is under way are written together by the next one, so that the price of making
 * them durable (an fsync) is shared; an answer is given only after the commit.
 */
export class Outbox {
  readonly #sql: Sql;
  readonly #options: OutboxOptions;
  #waiting: Waiting[] = [];
  #writing = false;

  constructor(sql: Sql, options: OutboxOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  accept(purge: NewPurge): Promise<AcceptResult> {
    if (!this.#options.hasRoom()) return Promise.resolve({ kind: 'unavailable', reason: 'the outbox is full' });
    if (this.#waiting.length >= WAITING_MAX)
      return Promise.resolve({ kind: 'unavailable', reason: 'the store is too slow' });
    return new Promise((answer) => {
      this.#waiting.push({ purge, digest: digestOf(purge.body), answer });
      if (!this.#writing) void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0, TOGETHER_MAX);
      await this.#writeTogether(together);
    }
    this.#writing = false;
  }

  async #writeTogether(together: readonly Waiting[]): Promise<void> {
    try {
      const results = await insert(this.#sql, together, new Date(this.#options.now()));
      for (const [index, entry] of together.entries()) {
        entry.answer(results[index] ?? { kind: 'unavailable', reason: 'the store gave no answer' });
      }
      this.#options.accepted(results.filter((result) => result.kind === 'accepted' && !result.replayed).length);
    } catch (error) {
      const [first, ...others] = together;
      if (!isDataError(error)) {
        for (const entry of together) entry.answer({ kind: 'unavailable', reason: 'the store is out of reach' });
      } else if (others.length === 0) {
        first?.answer({ kind: 'unstorable' });
      } else {
        // One of them is at fault, and the others must not pay for it.
        for (const entry of together) await this.#writeTogether([entry]);
      }
    }
  }
}

/** A purge as it was stored; an earlier version's rules may have been laxer, and what was accepted is not refused afterwards. */
export function storedPurge(body: unknown): PurgeRequest {
  const parsed = PurgeRequest.safeParse(body);
  return parsed.success ? parsed.data : (body as PurgeRequest);
}

/** The values of a purge's row in the order of its columns: id, accepted_at, caller, request_id, digest, body. */
export function purgeRow({ id, caller, requestId, body }: NewPurge, now: Date): readonly string[] {
  return [id, now.toISOString(), caller, requestId, digestOf(body), JSON.stringify(body)];
}

/** Writes purges in the order given, within whatever transaction `sql` stands for. Ids already known are left as they are. */
export async function insertPurges(sql: Sql, purges: readonly NewPurge[], now: Date): Promise<Set<string>> {
  if (purges.length === 0) return new Set();
  // A list of values: half the price of unnesting arrays or JSON for the one or two rows it mostly is.
  const values = purges.map((_, index) => {
    const at = index * 5 + 2;
    return `($${at}, $1, $${at + 1}, $${at + 2}, $${at + 3}, $${at + 4}::text::jsonb)`;
  });
  const written = await sql.query<{ id: string }>(
    `INSERT INTO purge (id, accepted_at, caller, request_id, digest, body) VALUES ${values.join(', ')}
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [
      now.toISOString(),
      ...purges.flatMap(({ id, caller, requestId, body }) => [
        id,
        caller,
        requestId,
        digestOf(body),
        JSON.stringify(body),
      ]),
    ],
  );
  return new Set(written.map((row) => row.id));
}

async function insert(sql: Sql, together: readonly Waiting[], now: Date): Promise<AcceptResult[]> {
  const written = await insertPurges(
    sql,
    together.map((entry) => entry.purge),
    now,
  );
  const first = new Map<string, { digest: string; at: Date }>();
  const results: AcceptResult[] = [];
  const known = await knownPurges(
    sql,
    together.map((entry) => entry.purge.id).filter((id) => !written.has(id)),
  );
  for (const { purge, digest } of together) {
    const before = known.get(purge.id) ?? first.get(purge.id);
    if (before && before.digest !== digest) {
      results.push({ kind: 'conflict' });
      continue;
    }
    results.push({ kind: 'accepted', id: purge.id, acceptedAt: before?.at ?? now, replayed: before !== undefined });
    if (!before) first.set(purge.id, { digest, at: now });
  }
  return results;
}

async function knownPurges(sql: Sql, ids: readonly string[]): Promise<Map<string, { digest: string; at: Date }>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<{ id: string; digest: string; accepted_at: Date }>(
    'SELECT id, digest, accepted_at FROM purge WHERE id = ANY($1)',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, { digest: row.digest, at: row.accepted_at }]));
}

/** Of the parsed request, whose keys stand in the schema's order: the same purge has the same digest however it was written. */
function digestOf(body: PurgeRequest): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('base64url');
}
