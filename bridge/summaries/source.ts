import { Pool } from 'pg';
import { SUMMARY_COMMENTS_MAX, Thread } from '../../shared/contract/summary.ts';
import { inTransaction } from '../store/postgres.ts';

export type Found =
  | { readonly ok: true; readonly thread: Thread }
  | {
      readonly ok: false;
      readonly reason: 'unknown-thread' | 'too-many-comments' | 'unusable' | 'unreachable';
      readonly message: string;
    };

/** Where the bridge can read the comments of a thread by its id. */
export interface CommentSource {
  thread(threadId: string): Promise<Found>;
  close(): Promise<void>;
}

/** A row of `porchlight_comments`; the last three columns may be absent. */
interface CommentRow {
  id: unknown;
  parent_id: unknown;
  author: string | null;
  created_at: Date;
  edited_at: Date | null;
  votes: unknown;
  text: string;
  title?: string | null;
  url?: string | null;
  locale?: string | null;
}

const STATEMENT_MS = 2000;

/**
 * A view of the blog's database: `porchlight_comments(thread_id, id, parent_id, author, created_at, edited_at, votes, text[, title, url,
 * locale])`. Read in a read-only transaction of at most two seconds; no more rows than a thread may have. The settings are local to the
 * transaction, so PgBouncer may sit between.
 */
export function postgresSource(url: string, onError: (error: Error) => void): CommentSource {
  const pool = new Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: STATEMENT_MS,
    query_timeout: STATEMENT_MS + 500,
    idleTimeoutMillis: 30_000,
    application_name: 'porchlight-comments',
  });
  pool.on('error', onError);
  return {
    thread: async (threadId) => {
      try {
        return toThread(threadId, await readRows(pool, threadId));
      } catch (error) {
        onError(error as Error);
        const message = 'The comment source does not answer: try again, or send the thread itself.';
        return { ok: false, reason: 'unreachable', message };
      }
    },
    close: () => pool.end(),
  };
}

const readRows = (pool: Pool, threadId: string): Promise<CommentRow[]> =>
  inTransaction(
    pool,
    async (sql) => {
      await sql.query(`SET LOCAL statement_timeout = ${STATEMENT_MS}`);
      return sql.query<CommentRow>(
        `SELECT * FROM porchlight_comments WHERE thread_id::text = $1 ORDER BY created_at, id LIMIT ${SUMMARY_COMMENTS_MAX + 1}`,
        [threadId],
      );
    },
    'BEGIN READ ONLY',
  );

/** The rows as a thread that holds by the contract, or what is wrong with them. */
function toThread(threadId: string, rows: readonly CommentRow[]): Found {
  const [first] = rows;
  if (!first) return { ok: false, reason: 'unknown-thread', message: 'The comment source has no such thread.' };
  if (rows.length > SUMMARY_COMMENTS_MAX) {
    const message = `The thread has more than ${SUMMARY_COMMENTS_MAX} comments: send the part to summarise.`;
    return { ok: false, reason: 'too-many-comments', message };
  }
  const { title, url, locale } = first;
  const parsed = Thread.safeParse({
    id: threadId,
    ...(title ? { title } : {}),
    ...(url ? { url } : {}),
    ...(locale ? { locale } : {}),
    comments: rows.map(toComment),
  });
  if (parsed.success) return { ok: true, thread: parsed.data };
  const [issue] = parsed.error.issues;
  const message = `The comment source gives what is no thread: ${issue?.path.join('.')}: ${issue?.message}`;
  return { ok: false, reason: 'unusable', message };
}

function toComment(row: CommentRow) {
  return {
    id: String(row.id),
    parentId: row.parent_id === null ? null : String(row.parent_id),
    author: row.author,
    createdAt: row.created_at instanceof Date ? row.created_at.toISOString() : row.created_at,
    editedAt: row.edited_at instanceof Date ? row.edited_at.toISOString() : row.edited_at,
    ...(row.votes === null || row.votes === undefined ? {} : { votes: Number(row.votes) }),
    text: row.text,
  };
}
