import { Pool, types } from 'pg';
import type { Database, Sql, SqlValue } from './database.ts';

const INT8 = 20;
/** Sequence numbers stay far below 2^53, and the embedded store gives numbers too. */
const parsers = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 ? Number : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

const ANSWER_MS = 5000;

/**
 * Our own deadline lets go of a statement; only the server can end it. A transaction that nobody ends, because its bridge or the network is gone,
 * would keep its locks until the connection is found to be dead, which takes hours. `SET LOCAL` ends with the transaction, as PgBouncer's
 * transaction mode demands; one round trip for all of it.
 */
const BEGIN = `BEGIN; SET LOCAL statement_timeout = ${ANSWER_MS}; SET LOCAL idle_in_transaction_session_timeout = ${ANSWER_MS}`;

/**
 * A pooled PostgreSQL. Every statement is unnamed and every transaction short, so PgBouncer may sit between in transaction mode:
 * no prepared statements, `SET`, `LISTEN` or session-level advisory locks.
 * Deadlines: 3 s to connect, 5 s for an answer, and in a transaction at the server too: 5 s a statement, 5 s between two.
 */
export function openPostgres(url: string, onError: (error: Error) => void): Database {
  const pool = new Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: 3000,
    query_timeout: ANSWER_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    application_name: 'porchlight-bridge',
    types: parsers,
  });
  pool.on('error', onError);
  return {
    kind: 'postgres',
    // A pool reconnects; an outage makes queries fail, not the store end.
    lost: new Promise(() => {}),
    query: async <Row extends object>(text: string, params: readonly SqlValue[] = []) =>
      (await pool.query<Row>(text, [...params])).rows,
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  };
}

/** Runs `work` between `begin` and COMMIT on one connection; rolls back and rethrows where it throws. */
export async function inTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>, begin = BEGIN): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  // The pool listens only to idle clients; unheard, a connection lost in between would end the process.
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  try {
    await client.query(begin);
    const result = await work({
      query: async <Row extends object>(text: string, params: readonly SqlValue[] = []) =>
        (await client.query<Row>(text, [...params])).rows,
    });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollback: Error) => {
      broken = rollback;
    });
    throw error;
  } finally {
    client.off('error', onError);
    // A connection that could not roll back is in an unknown state: the pool must not lend it again.
    client.release(broken);
  }
}
