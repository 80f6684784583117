import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asPostgres,
  type Database,
  postgresPrograms,
  type Ran,
  sharedFolder,
  startPgbouncer,
  startPostgres,
} from './postgres.ts';

const SHIPPED = fileURLToPath(new URL('../../cluster/data/', import.meta.url));
const programs = postgresPrograms();
const ready = programs !== undefined && existsSync('/usr/sbin/pgbouncer') && existsSync('/usr/bin/rsync');
if (!ready) console.log('backup tests do not run: apt-get install postgresql pgbouncer rsync');

/** Of the one letter that stands for a dump where only days matter. */
const X_SHA256 = createHash('sha256').update('x').digest('hex');

/** The scripts as the CronJobs mount them, against real servers. Days are handed in, so nothing waits for a clock. */
describe.runIf(ready)('backup and restore', () => {
  const work = sharedFolder('porchlight-backup-');
  const scripts = join(work, 'scripts');
  const offsite = join(work, 'offsite');
  let database: Database;
  let pool: { port: number; stop(): void };

  const script = (
    name: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ran> =>
    asPostgres('sh', [join(scripts, name), ...args], {
      ...database.env,
      PGDATABASE: 'blog',
      BACKUP: join(work, 'backup'),
      METRICS: join(work, 'backup/metrics'),
      OFFSITE: offsite,
      MIGRATIONS: join(scripts, 'migrations'),
      ...env,
    });
  const metric = (name: string): number =>
    Number(
      new RegExp(`^${name} (.*)$`, 'm').exec(readFileSync(join(work, 'backup/metrics/metrics.prom'), 'utf8'))?.[1],
    );
  const dumps = () =>
    readdirSync(join(work, 'backup/database'))
      .filter((name) => name.endsWith('.dump'))
      .sort();
  /** Every row of every table, as text, in a fixed order. */
  const rows = async (name: string): Promise<string[]> => {
    const tables = (
      await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", name)
    ).split('\n');
    return Promise.all(
      tables.map(
        async (table) => `${table}\n${await database.query(`SELECT t::text FROM ${table} t ORDER BY 1`, name)}`,
      ),
    );
  };

  beforeAll(async () => {
    cpSync(join(SHIPPED, 'backup/scripts'), scripts, { recursive: true });
    cpSync(join(SHIPPED, 'postgres/migrations'), join(scripts, 'migrations'), { recursive: true });
    copyFileSync(join(SHIPPED, 'postgres/scripts/migrate.sh'), join(scripts, 'migrate.sh'));
    for (const name of ['backup', 'offsite']) await asPostgres('mkdir', ['-p', join(work, name)]);
    database = await startPostgres(programs ?? '');
    pool = await startPgbouncer(readFileSync(join(SHIPPED, 'pgbouncer/config/pgbouncer.ini'), 'utf8'), database);
    await database.query('CREATE DATABASE blog');
  });
  afterAll(async () => {
    pool?.stop();
    await database?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  test('migrations apply once, in order, and refuse to be rewritten', async () => {
    const first = await script('migrate.sh');
    expect(first).toEqual({
      code: 0,
      out: ['0001-core', '0002-engagement', '0003-threads'].map((name) => `migrate: applied ${name}.sql\n`).join(''),
    });
    expect(await script('migrate.sh')).toEqual({ code: 0, out: '' });
    writeFileSync(join(scripts, 'migrations/0001-core.sql'), '-- changed\n');
    const changed = await script('migrate.sh');
    expect(changed.code).toBe(1);
    expect(changed.out).toContain('0001-core.sql was changed after it was applied');
    copyFileSync(join(SHIPPED, 'postgres/migrations/0001-core.sql'), join(scripts, 'migrations/0001-core.sql'));
  });

  test('clients work through the pooler in transaction mode', async () => {
    await database.query(
      `INSERT INTO posts (id, slug, title, content, status) SELECT i::text, 'post-' || i, 'Post ' || i, repeat(md5(i::text), 40), 'published' FROM generate_series(1, 500) i;
       INSERT INTO tags SELECT 'tag-' || i, i FROM generate_series(1, 20) i;
       INSERT INTO comments (id, post_id, author, body) SELECT md5(i::text), (1 + i % 500)::text, 'Reader ' || i, E'line\\nand ünïcode ' || i FROM generate_series(1, 20000) i;
       INSERT INTO page_views SELECT (1 + i % 500)::text, date '2026-01-01' + i / 500, i FROM generate_series(1, 10000) i`,
      'blog',
      pool.port,
    );
    expect(await database.query('SELECT count(*) FROM comments', 'blog', pool.port)).toBe('20000');
  });

  test('a dump is read back before it counts', async () => {
    const ran = await script('dump.sh', [], { TODAY: '20260301', NOW: '1772330400' });
    expect(ran.out).toMatch(/^dump: blog-20260301\.dump, \d+ bytes\n$/);
    expect(ran.code).toBe(0);
    expect(readdirSync(join(work, 'backup/database')).sort()).toEqual([
      'blog-20260301.dump',
      'blog-20260301.dump.sha256',
    ]);
    expect(metric('porchlight_backup_last_success_timestamp_seconds')).toBe(1772330400);
    expect(metric('porchlight_backup_bytes')).toBeGreaterThan(10_000);
  });

  test('the database is destroyed and comes back, row by row', async () => {
    const before = await rows('blog');
    await database.query('DROP DATABASE blog WITH (FORCE)');
    const started = performance.now();
    const ran = await script('restore.sh', [join(work, 'backup/database/blog-20260301.dump'), 'blog']);
    console.log(
      `restore of ${before.join('\n').split('\n').length} lines: ${((performance.now() - started) / 1000).toFixed(2)} s (${ran.out.trim()})`,
    );
    expect(ran.code).toBe(0);
    const after = await rows('blog');
    expect(after.length).toBe(before.length);
    expect(before.filter((table, index) => table !== after[index]).map((table) => table.slice(0, 200))).toEqual([]);
    expect(await database.query('SELECT count(*) FROM comments', 'blog', pool.port)).toBe('20000');
  });

  test('the drill restores into a scratch database, checks it and leaves nothing behind', async () => {
    const ran = await script('drill.sh', [], { NOW: '1772420000' });
    expect(ran.out).toMatch(/drill: passed, blog-20260301\.dump, 30523 rows, \d+ s/);
    expect(metric('porchlight_restore_drill_success')).toBe(1);
    expect(metric('porchlight_restore_drill_last_success_timestamp_seconds')).toBe(1772420000);
    expect(metric('porchlight_restore_drill_rows')).toBe(30523);
    expect(await database.query("SELECT count(*) FROM pg_database WHERE datname LIKE 'drill%'")).toBe('0');
  });

  test('a corrupt dump is refused, by the drill and by hand, and the metrics say so', async () => {
    const dump = join(work, 'backup/database/blog-20260301.dump');
    const whole = readFileSync(dump);
    for (const [what, damage] of [
      [
        'a flipped byte',
        () =>
          writeFileSync(
            dump,
            Buffer.from(whole.map((byte, index) => (index === whole.length - 5000 ? byte ^ 0xff : byte))),
          ),
      ],
      ['a cut file', () => truncateSync(dump, whole.length - 2000)],
    ] as const) {
      damage();
      const byHand = await script('restore.sh', [dump, 'again']);
      expect([what, byHand.code, byHand.out]).toEqual([
        what,
        3,
        expect.stringContaining('does not match its checksum'),
      ]);
      const drilled = await script('drill.sh', [], { NOW: '1772500000' });
      expect([what, drilled.code]).toEqual([what, 3]);
      expect(drilled.out).toContain('drill: FAILED');
    }
    expect(metric('porchlight_restore_drill_success')).toBe(0);
    expect(metric('porchlight_restore_drill_last_run_timestamp_seconds')).toBe(1772500000);
    expect(metric('porchlight_restore_drill_last_success_timestamp_seconds')).toBe(1772420000);
    expect(await database.query("SELECT count(*) FROM pg_database WHERE datname = 'again'")).toBe('0');

    // Damaged before its checksum was taken: the blocks themselves are read to the end.
    const sum = await asPostgres('sh', ['-c', `cd ${join(work, 'backup/database')} && sha256sum blog-20260301.dump`]);
    writeFileSync(`${dump}.sha256`, sum.out);
    expect((await script('restore.sh', [dump, 'again'])).out).toContain('cannot be read to its end');
    writeFileSync(dump, whole);
    await asPostgres('sh', [
      '-c',
      `cd ${join(work, 'backup/database')} && rm blog-20260301.dump.sha256 && sha256sum blog-20260301.dump > blog-20260301.dump.sha256`,
    ]);
  });

  test('a dump that fails leaves the last good one and its metric alone', async () => {
    const ran = await script('dump.sh', [], { TODAY: '20260302', NOW: '1772600000', PGDATABASE: 'nowhere' });
    expect(ran.code).not.toBe(0);
    expect(dumps()).toEqual(['blog-20260301.dump']);
    expect(metric('porchlight_backup_last_success_timestamp_seconds')).toBe(1772330400);
  });

  test('30 days stay at home, 90 days offsite, over a year end and a leap day', async () => {
    mkdirSync(join(work, 'days'));
    const day = (offset: number) =>
      new Date(Date.UTC(2028, 2, 1) + offset * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
    for (let offset = -120; offset < 0; offset++) {
      const name = `blog-${day(offset)}.dump`;
      const folder = offset >= -40 ? join(work, 'backup/database') : join(work, 'days');
      writeFileSync(join(folder, name), 'x', { mode: 0o666 });
      writeFileSync(join(folder, `${name}.sha256`), `${X_SHA256}  ${name}\n`, { mode: 0o666 });
    }
    await asPostgres('mkdir', ['-p', join(offsite, 'database')]);
    await asPostgres('sh', ['-c', `cp ${join(work, 'days')}/* ${join(offsite, 'database')}/`]);
    const today = day(0);
    expect(today).toBe('20280301');
    const dumped = await script('dump.sh', [], { TODAY: today, NOW: '1835000000' });
    expect(dumped.code).toBe(0);
    expect(dumps()).toEqual(Array.from({ length: 30 }, (_, index) => `blog-${day(index - 29)}.dump`));
    const copied = await script('offsite.sh', [], { TODAY: today, NOW: '1835000100' });
    expect([copied.code, copied.out]).toEqual([0, expect.stringContaining('offsite: copied')]);
    const away = readdirSync(join(offsite, 'database'))
      .filter((name) => name.endsWith('.dump'))
      .sort();
    expect(away[0]).toBe(`blog-${day(-89)}.dump`);
    expect(away.at(-1)).toBe(`blog-${today}.dump`);
    expect(readFileSync(join(offsite, 'database', `blog-${today}.dump`))).toEqual(
      readFileSync(join(work, 'backup/database', `blog-${today}.dump`)),
    );
    expect(metric('porchlight_offsite_last_success_timestamp_seconds')).toBe(1835000100);
  });

  test('what rots at home does not take the good copy away', async () => {
    const at = (root: string) => join(root, 'database', 'blog-20280220.dump');
    const home = at(join(work, 'backup'));
    expect(readFileSync(at(offsite), 'utf8')).toBe('x');
    writeFileSync(home, 'y');
    const copied = await script('offsite.sh', [], { TODAY: '20280301', NOW: '1835000200' });
    expect([copied.code, copied.out]).toEqual([1, expect.stringContaining('does not match its checksum')]);
    expect(readFileSync(at(offsite), 'utf8')).toBe('x');
    expect(metric('porchlight_offsite_last_success_timestamp_seconds')).toBe(1835000100);
    // Even where the checksum agrees with it, a finished day is not written again.
    writeFileSync(`${home}.sha256`, `${createHash('sha256').update('y').digest('hex')}  blog-20280220.dump\n`);
    expect((await script('offsite.sh', [], { TODAY: '20280301', NOW: '1835000300' })).code).toBe(0);
    expect(readFileSync(at(offsite), 'utf8')).toBe('x');
  });

  test('the last dump of one database stays, however many there are of the others', async () => {
    const folder = join(work, 'rotated');
    mkdirSync(folder);
    for (const name of ['blog-20260901', 'bridge-20260902', 'bridge-20261101', 'my-blog-20260801'])
      for (const suffix of ['.dump', '.dump.sha256']) writeFileSync(join(folder, name + suffix), 'x');
    const listed = readdirSync(folder).join('\n');
    const gone = await asPostgres('sh', [
      '-c',
      `printf '%s\\n' '${listed}' | LIST=1 sh ${join(scripts, 'rotate.sh')} - 30 20261105`,
    ]);
    expect(gone.out.trim().split('\n')).toEqual(['bridge-20260902.dump', 'bridge-20260902.dump.sha256']);
  });

  test('a clock far in the future does not empty the folder', async () => {
    await asPostgres('sh', [join(scripts, 'rotate.sh'), join(work, 'backup/database'), '30', '20990101']);
    expect(dumps()).toEqual(['blog-20280301.dump']);
  });
});
