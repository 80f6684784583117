import { fsyncSync, rmSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DurableFs, durableStart } from '../../bridge/store/durable-fs.ts';
import { PreparedStatements } from '../../bridge/store/prepared.ts';
import { WalWriter } from '../../bridge/store/wal-writer.ts';
import { newDataDirectory } from '../support/bridge.ts';

let data: string;
let database: PGlite;
let sql: PreparedStatements;
let syncs = 0;
let due: (() => void)[] = [];
let writer: WalWriter;
beforeAll(async () => {
  data = await newDataDirectory();
  const sync = (descriptor: number) => {
    syncs++;
    fsyncSync(descriptor);
  };
  database = await PGlite.create({
    fs: new DurableFs(data, sync),
    startParams: durableStart(PGlite.defaultStartParams),
  });
  sql = new PreparedStatements(database);
  await sql.query('CREATE TABLE kept (what text)', []);
}, 60_000);
afterAll(async () => {
  await database.close();
  rmSync(data, { recursive: true });
});
beforeEach(() => {
  syncs = 0;
  due = [];
  writer = new WalWriter(sql, (work) => due.push(work));
});

const run = async (text: string): Promise<void> => {
  writer.runs(text);
  await sql.query(text, []);
  writer.ran(text);
};
/** Runs what is due, and waits until the statements that it began have ended. */
const pass = async (): Promise<void> => {
  for (const work of due.splice(0)) work();
  await sql.query('SELECT 1 AS one', []);
};
const NOT_WAITED_FOR = `WITH one AS (INSERT INTO kept VALUES ('x') RETURNING what)
  SELECT what, set_config('synchronous_commit', 'off', true) FROM one`;

test('a commit that is not waited for is on the disk with the next flush, and several share one', async () => {
  await run(NOT_WAITED_FOR);
  await run(NOT_WAITED_FOR);
  expect([syncs, due.length]).toEqual([0, 1]);
  await pass();
  expect([syncs, due.length]).toEqual([1, 0]);
  await run(NOT_WAITED_FOR);
  expect(due).toHaveLength(1);
  await pass();
  expect(syncs).toBe(2);
});

test('a commit that is waited for is on the disk by itself', async () => {
  await run(`INSERT INTO kept VALUES ('y')`);
  expect([syncs, due.length]).toEqual([1, 0]);
});

test('where nothing was written there is nothing to flush', async () => {
  await run(NOT_WAITED_FOR);
  await pass();
  expect([syncs, due.length]).toEqual([1, 0]);
  await run(`SELECT set_config('synchronous_commit', 'off', true) AS what`);
  await pass();
  expect([syncs, due.length]).toEqual([1, 0]);
});

test('within a transaction of another it waits for its end', async () => {
  await run('BEGIN');
  await run(NOT_WAITED_FOR);
  await pass();
  expect([syncs, due.length]).toEqual([0, 1]);
  await run('COMMIT');
  await pass();
  expect([syncs, due.length]).toEqual([1, 0]);
});

test('a transaction that is about to begin counts: a flush behind it would be undone with it', async () => {
  await run(NOT_WAITED_FOR);
  writer.runs('BEGIN');
  await pass();
  expect([syncs, due.length]).toEqual([0, 1]);
  await sql.query('BEGIN', []);
  await run('ROLLBACK');
  await pass();
  expect([syncs, due.length]).toEqual([1, 0]);
});

test('where the store is gone it is nobody to complain to', async () => {
  const gone = new WalWriter({ query: () => Promise.reject(new Error('closed')) }, (work) => due.push(work));
  gone.ran(NOT_WAITED_FOR);
  await pass();
  expect(due).toEqual([]);
});
