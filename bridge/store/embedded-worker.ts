import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { SqlValue } from './database.ts';
import { DurableFs, durableStart } from './durable-fs.ts';
import { PreparedStatements } from './prepared.ts';
import { WAL_WRITER_DELAY_MS, WalWriter } from './wal-writer.ts';

export interface EmbeddedRequest {
  readonly id: number;
  readonly text: string;
  readonly params: readonly SqlValue[];
}
export type EmbeddedResponse =
  | { readonly id: number; readonly rows: object[] }
  | { readonly id: number; readonly error: { message: string; code?: string } };

// A thread of its own: a query or an fsync on a slow disk must not hold up /health. One statement at a time, in order of arrival.
const { directory } = workerData as { directory: string };
const port = parentPort;
if (!port) throw new Error('embedded-worker.ts is started by embedded.ts, not by hand');

const database = await PGlite.create({
  fs: new DurableFs(directory),
  startParams: durableStart(PGlite.defaultStartParams),
});
const statements = new PreparedStatements(database);
const walWriter = new WalWriter(statements, (work) => setTimeout(work, WAL_WRITER_DELAY_MS).unref());
port.postMessage({ id: 0, rows: [] } satisfies EmbeddedResponse);

port.on('message', (request: EmbeddedRequest | 'close') => {
  if (request === 'close') {
    void database.close().then(() => port.close());
    return;
  }
  walWriter.runs(request.text);
  statements.query(request.text, request.params).then(
    (rows) => {
      port.postMessage({ id: request.id, rows } satisfies EmbeddedResponse);
      walWriter.ran(request.text);
    },
    (error: Error & { code?: string }) =>
      port.postMessage({
        id: request.id,
        error: { message: error.message, ...(error.code === undefined ? {} : { code: error.code }) },
      } satisfies EmbeddedResponse),
  );
});
