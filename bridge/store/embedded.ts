import { Worker } from 'node:worker_threads';
import type { Database, Sql, SqlValue } from './database.ts';
import type { EmbeddedRequest, EmbeddedResponse } from './embedded-worker.ts';
import { Turns } from './turns.ts';

/** Statements and transactions waiting for the one connection. */
const QUEUE = { waitingMax: 10_000, patienceMs: 10_000 };

/** Garbage is collected before it piles up; the largest page of purges fits several times over. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

interface Waiting {
  resolve(rows: object[]): void;
  reject(error: Error): void;
}

/** A PostgreSQL in this process (PGlite), in a thread of its own, its files under `directory`. Only one process may open it. */
export async function openEmbedded(directory: string): Promise<Database> {
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), {
    workerData: { directory },
    resourceLimits,
  });
  const waiting = new Map<number, Waiting>();
  let closing = false;
  let failure: Error | null = null;
  let ready = () => {};
  const opened = new Promise<void>((resolve) => {
    ready = resolve;
  });
  worker.on('message', (answer: EmbeddedResponse) => {
    if (answer.id === 0) return ready();
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('rows' in answer) caller?.resolve(answer.rows);
    else caller?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  });
  const lost = new Promise<Error>((resolve) => {
    const fail = (error: Error) => {
      failure = error;
      for (const caller of waiting.values()) caller.reject(error);
      waiting.clear();
      if (!closing) resolve(error);
    };
    worker.on('error', (error) => fail(error as Error));
    worker.on('exit', (code) => fail(new Error(`the embedded store ended with code ${code}`)));
  });

  let next = 1;
  const query = <Row extends object>(text: string, params: readonly SqlValue[] = []): Promise<Row[]> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      const id = next++;
      waiting.set(id, { resolve: (rows) => resolve(rows as Row[]), reject });
      worker.postMessage({ id, text, params } satisfies EmbeddedRequest);
    });

  await Promise.race([opened, lost.then((error) => Promise.reject(error))]);
  const turns = new Turns(QUEUE);
  return {
    kind: 'embedded',
    lost,
    query: (text, params) => turns.take(() => query(text, params)),
    transaction: (work) => turns.take(() => inTransaction({ query }, work)),
    close: async () => {
      closing = true;
      const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      await turns.last(async () => worker.postMessage('close'));
      await ended;
    },
  };
}

async function inTransaction<T>(sql: Sql, work: (sql: Sql) => Promise<T>): Promise<T> {
  await sql.query('BEGIN');
  try {
    const result = await work(sql);
    await sql.query('COMMIT');
    return result;
  } catch (error) {
    await sql.query('ROLLBACK');
    throw error;
  }
}
