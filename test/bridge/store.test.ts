import { cpSync, fsyncSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Batch, PurgeCall } from '../../bridge/policy/purge-plan.ts';
import { Deliveries, type OpenBatch } from '../../bridge/purge/deliveries.ts';
import { insertPurges, Outbox } from '../../bridge/purge/outbox.ts';
import { edgeTarget } from '../../bridge/purge/targets/edge.ts';
import { lockDataDirectory } from '../../bridge/store/data-lock.ts';
import type { Database } from '../../bridge/store/database.ts';
import { DurableFs, durableStart } from '../../bridge/store/durable-fs.ts';
import { migrate } from '../../bridge/store/migrations.ts';
import { openStore } from '../../bridge/store/open.ts';
import { PurgeRequest } from '../../shared/contract/purge.ts';
import { newDataDirectory, until } from '../support/bridge.ts';
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
    const open = (await first.next(target, NOW)) as OpenBatch | null;
    expect(open?.batch.purges).toBe(20);
    expect(await new Deliveries(store, 'after-a-crash').next(target, NOW)).toEqual(open);
    await first.release();
    expect(await second.lease('edge', 0)).toBe(true);
    await second.settle(open?.id ?? '', 'delivered', NOW, { error: null, outcome: { seq: 1 } });
    expect(await second.next(target, NOW)).toBeNull();
  });

  test('a purge that the store cannot hold fails alone', async () => {
    const outbox = new Outbox(store, { now: () => NOW.getTime(), hasRoom: () => true, accepted: () => {} });
    const tags = ['busy', 'good:0', 'nul\u0000', 'good:1', 'half\ud800', 'good:2'];
    const answers = tags.map((tag, index) =>
      outbox.accept({ ...purgeOf('x'), id: `joint-${index}`, body: { mode: 'invalidate', tags: [tag] } }),
    );
    const kinds = (await Promise.all(answers)).map(({ kind }) => kind);
    expect(kinds).toEqual(['accepted', 'accepted', 'unstorable', 'accepted', 'unstorable', 'accepted']);
    expect(await store.query(`SELECT 1 FROM purge WHERE id LIKE 'joint-%'`)).toHaveLength(4);
  });

  test('what an earlier version accepted under laxer rules is delivered all the same', async () => {
    const deliveries = new Deliveries(store, 'later-version');
    await deliveries.register('lax');
    const body = { mode: 'invalidate', urls: ['https://blog.example/\u0001'] } as const;
    await insertPurges(store, [{ ...purgeOf('lax'), body: { ...body, urls: [...body.urls] } }], NOW);
    expect(await deliveries.next({ ...target, name: 'lax' }, NOW)).toMatchObject({
      batch: { call: { urls: body.urls } },
    });
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

  const watchful = async () => {
    const store = await openStore({ databaseUrl: postgres.pooledUrl, dataDirectory: '' }, () => {});
    const deliveries = new Deliveries(store, 'watchful');
    await store.query('UPDATE target SET lease_owner = NULL, cursor = (SELECT max(seq) FROM purge)');
    await deliveries.lease('edge', 0);
    return { store, deliveries };
  };
  const delivered = async (deliveries: Deliveries) => {
    const open = (await deliveries.next(target, NOW)) as OpenBatch;
    await deliveries.settle(open.id, 'delivered', NOW, { error: null, outcome: null });
    return open.batch as Batch<PurgeCall>;
  };

  test('a purge whose number was taken before another was committed is not passed over, and stops none from coming in', async () => {
    const { store, deliveries } = await watchful();
    await store.transaction(async (slow) => {
      await insertPurges(slow, [purgeOf('slow')], NOW);
      await insertPurges(store, [purgeOf('fast')], NOW);
      const look = deliveries.next(target, NOW);
      expect((await insertPurges(store, [purgeOf('during')], NOW)).size).toBe(1);
      expect(await look).toEqual({ heldBy: [{ transaction: expect.any(String), pid: expect.any(Number) }] });
      expect((await insertPurges(store, [purgeOf('later')], NOW)).size).toBe(1);
    });
    expect(await delivered(deliveries)).toMatchObject({
      purges: 4,
      call: { tags: ['slow', 'fast', 'during', 'later'] },
    });
    await store.close();
  }, 60_000);

  test('writers that never pause hold nothing up', async () => {
    const { store, deliveries } = await watchful();
    let writing = true;
    const writers = ['a', 'b', 'c'].map(async (writer) => {
      for (let count = 0; writing; count++) await insertPurges(store, [purgeOf(`${writer}:${count}`)], NOW);
    });
    const seen: string[] = [];
    while (seen.length < 300) {
      const open = await deliveries.next(target, NOW);
      if (open === null || 'heldBy' in open) continue;
      seen.push(...(await delivered(deliveries)).call.tags);
    }
    writing = false;
    await Promise.all(writers);
    for (let open = await deliveries.next(target, NOW); open !== null; open = await deliveries.next(target, NOW))
      seen.push(...(await delivered(deliveries)).call.tags);
    for (const writer of ['a', 'b', 'c']) {
      const own = seen.filter((tag) => tag.startsWith(`${writer}:`));
      expect(own).toEqual(own.map((_, index) => `${writer}:${index}`));
    }
    const [{ count } = { count: 0 }] = await store.query<{ count: number }>(
      `SELECT count(*) AS count FROM purge WHERE id ~ '^id-of-[abc]:'`,
    );
    expect(seen).toHaveLength(count);
    await store.close();
  }, 60_000);

  test('a transaction that nobody ends is ended by the server, and delivery goes on', async () => {
    const { store, deliveries } = await watchful();
    const lost = store.transaction(async (sql) => {
      expect(await sql.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '5s' }]);
      await insertPurges(sql, [purgeOf('lost')], NOW);
      await insertPurges(store, [purgeOf('found')], NOW);
      const under = `SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction'`;
      await until('ended by the server', async () => (await store.query(under)).length === 0);
    });
    await expect(lost).rejects.toThrow();
    expect(await delivered(deliveries)).toMatchObject({ purges: 1, call: { tags: ['found'] } });
    expect(await store.query('SHOW statement_timeout')).toEqual([{ statement_timeout: '0' }]);
    await store.close();
  }, 60_000);
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
