import { cpSync, fsyncSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deliveries } from '../../bridge/purge/deliveries.ts';
import { insertPurges } from '../../bridge/purge/outbox.ts';
import { edgeTarget } from '../../bridge/purge/targets/edge.ts';
import { lockDataDirectory } from '../../bridge/store/data-lock.ts';
import type { Database } from '../../bridge/store/database.ts';
import { DurableFs, durableStart } from '../../bridge/store/durable-fs.ts';
import { migrate } from '../../bridge/store/migrations.ts';
import { openStore } from '../../bridge/store/open.ts';
import { PurgeRequest } from '../../shared/contract/purge.ts';
import { newDataDirectory } from '../support/bridge.ts';
import { startPostgres, type TestPostgres } from '../support/postgres.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const purgeOf = (tag: string) => ({
  id: `id-of-${tag}`,
  caller: 'test',
  requestId: 'r',
  body: PurgeRequest.parse({ tags: [tag] }),
});
const target = edgeTarget(null, fetch, Date.now);

/** What every store must do, whoever speaks the dialect. */
function storeContract(open: () => Promise<Database>) {
  let store: Database;
  beforeAll(async () => {
    store = await open();
  }, 120_000);
  afterAll(() => store.close());

  test('gives numbers, dates and parsed JSON', async () => {
    const [row] = await store.query<object>(
      `SELECT 9007199254740991::bigint AS large, count(*) AS n, $1::timestamptz AS at, '{"a":[1]}'::jsonb AS body FROM purge WHERE false`,
      [NOW.toISOString()],
    );
    expect(row).toEqual({ large: 9_007_199_254_740_991, n: 0, at: NOW, body: { a: [1] } });
  });

  test('a transaction that throws leaves nothing behind', async () => {
    const work = store.transaction(async (sql) => {
      await insertPurges(sql, [purgeOf('undone')], NOW);
      throw new Error('undo');
    });
    await expect(work).rejects.toThrow('undo');
    expect(await store.query('SELECT 1 FROM purge')).toEqual([]);
  });

  test('transactions and statements at once do not mix', async () => {
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        index % 2 === 0
          ? insertPurges(store, [purgeOf(`single:${index}`)], NOW)
          : store.transaction((sql) => insertPurges(sql, [purgeOf(`in-transaction:${index}`)], NOW)),
      ),
    );
    expect(await store.query('SELECT 1 FROM purge')).toHaveLength(20);
  });

  test('migrating again, also at the same time, changes nothing', async () => {
    expect(new Set(await Promise.all([migrate(store), migrate(store)])).size).toBe(1);
    const versions = await store.query<{ version: number }>('SELECT version FROM porchlight_schema ORDER BY version');
    expect(versions.map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  test('one deliverer at a time, its batch is found again, and an error names no secret', async () => {
    const first = new Deliveries(store, 'first');
    const second = new Deliveries(store, 'second');
    await store.query(`INSERT INTO target (name, cursor) VALUES ('edge', 0)`);
    expect([await first.lease('edge', 0), await second.lease('edge', 0)]).toEqual([true, false]);
    const open = await first.next(target, NOW);
    expect(open?.batch.purges).toBe(20);
    expect(await new Deliveries(store, 'after-a-crash').next(target, NOW)).toEqual(open);
    await first.release();
    expect(await second.lease('edge', 0)).toBe(true);
    await second.settle(open?.id ?? '', 'delivered', NOW, { error: null, outcome: { seq: 1 } });
    expect(await second.next(target, NOW)).toBeNull();
  });
}

describe('embedded', () => {
  let data: string;
  storeContract(async () => {
    data = await newDataDirectory();
    return openStore({ databaseUrl: null, dataDirectory: data }, () => {});
  });

  test('a second user is kept away while the first lives', async () => {
    const again = () => openStore({ databaseUrl: null, dataDirectory: data }, () => {});
    await expect(again()).rejects.toThrow(`in use by process ${process.pid}`);
    const other = mkdtempSync(join(tmpdir(), 'porchlight-lock-'));
    const holder = (pid: number) => writeFileSync(join(other, 'bridge.pid'), `${pid}\n`);
    holder(process.ppid);
    expect(() => lockDataDirectory(other)).toThrow('give this one another --data');
    for (const gone of [4_194_304, process.pid, Number.NaN]) {
      holder(gone);
      lockDataDirectory(other)();
    }
    rmSync(other, { recursive: true });
  });
});

describe('PostgreSQL through PgBouncer in transaction mode', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 120_000);
  afterAll(() => postgres.stop());
  storeContract(async () => openStore({ databaseUrl: postgres.pooledUrl, dataDirectory: '' }, () => {}));

  test('a purge whose number was taken before another was committed is not passed over', async () => {
    const store = await openStore({ databaseUrl: postgres.pooledUrl, dataDirectory: '' }, () => {});
    const deliveries = new Deliveries(store, 'watchful');
    await store.query('UPDATE target SET lease_owner = NULL');
    await deliveries.lease('edge', 0);
    let late: Promise<unknown> = Promise.resolve();
    const slow = store.transaction(async (sql) => {
      await insertPurges(sql, [purgeOf('slow')], NOW);
      await insertPurges(store, [purgeOf('fast')], NOW);
      late = deliveries.next(target, NOW);
      await new Promise((resolve) => setTimeout(resolve, 300));
    });
    await slow;
    expect(await late).toMatchObject({ batch: { purges: 2, call: { tags: ['slow', 'fast'] } } });
    await store.close();
  }, 30_000);
});

describe('a power cut', () => {
  /**
   * What the disk holds after one: of every file what was in it when it was last synced, and nothing of files that never were. The kernel's
   * own write-back is left out, so this is the worst case.
   */
  test('loses nothing that was acknowledged', async () => {
    const source = mkdtempSync(join(tmpdir(), 'porchlight-power-'));
    const live = join(source, 'live');
    const disk = join(source, 'disk');
    cpSync(join(await newDataDirectory(), 'postgres'), live, { recursive: true });
    cpSync(live, disk, { recursive: true });
    let syncs = 0;
    const sync = (descriptor: number, path: string) => {
      fsyncSync(descriptor);
      syncs++;
      if (statSync(path).isDirectory()) return;
      const at = join(disk, relative(live, path));
      mkdirSync(dirname(at), { recursive: true });
      cpSync(path, at);
    };
    const startParams = durableStart(PGlite.defaultStartParams);
    const before = await PGlite.create({ fs: new DurableFs(live, sync), startParams });
    const open = syncs;
    for (let index = 0; index < 50; index++) {
      const inserted = await before.query(
        `INSERT INTO purge (id, accepted_at, caller, request_id, digest, body) VALUES ($1, now(), '', '', '', '{}')`,
        [`power-${index}`],
      );
      expect(inserted.affectedRows).toBe(1);
      expect(syncs).toBeGreaterThanOrEqual(open + index + 1);
    }
    const after = await PGlite.create({ fs: new DurableFs(disk), startParams });
    const { rows } = await after.query('SELECT id FROM purge ORDER BY seq');
    expect(rows).toEqual(Array.from({ length: 50 }, (_, index) => ({ id: `power-${index}` })));
    await before.close();
    await after.close();
    rmSync(source, { recursive: true, force: true });
  }, 120_000);
});
