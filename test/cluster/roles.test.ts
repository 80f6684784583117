import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exampleValues } from '../../cluster/check/example-values.ts';
import { map, text } from '../../cluster/check/manifest.ts';
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
const ready = programs !== undefined && existsSync('/usr/sbin/pgbouncer');
if (!ready) console.log('role tests do not run: apt-get install postgresql pgbouncer');

const passwords = map(exampleValues['web/database-roles']);
const asEnvironment = Object.fromEntries(
  Object.entries(passwords).map(([role, password]) => [`${role.toUpperCase()}_PASSWORD`, text(password)]),
);

/** What the postgres-migrate Job does, with the example values' passwords and the pooler's list of them. */
describe.runIf(ready)('roles and databases', () => {
  const work = sharedFolder('porchlight-roles-');
  let database: Database;
  let pool: { port: number; stop(): void };

  const roles = (env: Record<string, string> = {}): Promise<Ran> =>
    asPostgres(
      join(programs ?? '', 'psql'),
      ['--no-psqlrc', '--quiet', '-d', 'blog', `--file=${join(work, 'scripts/roles.sql')}`],
      { ...database.env, ...asEnvironment, ...env },
    );
  /** One statement as a role, through the pooler unless said otherwise: its output, or the server's refusal. */
  const as = async (role: string, name: string, sql: string, port = pool.port, password = passwords[role]) => {
    const ran = await asPostgres(join(programs ?? '', 'psql'), ['-qAt', '-d', name, '-c', sql], {
      ...database.env,
      PGPORT: String(port),
      PGUSER: role,
      PGPASSWORD: text(password),
    });
    return ran.out.trim();
  };

  beforeAll(async () => {
    for (const part of ['scripts', 'migrations'])
      cpSync(join(SHIPPED, 'postgres', part), join(work, part), { recursive: true });
    cpSync(join(SHIPPED, 'backup/scripts'), join(work, 'backup-scripts'), { recursive: true });
    database = await startPostgres(programs ?? '');
    const users = text(map(exampleValues['web/pgbouncer-auth'])['userlist.txt']);
    pool = await startPgbouncer(readFileSync(join(SHIPPED, 'pgbouncer/config/pgbouncer.ini'), 'utf8'), database, users);
    await database.query('CREATE DATABASE blog');
    const migrated = await asPostgres('sh', [join(work, 'scripts/migrate.sh')], {
      ...database.env,
      PGDATABASE: 'blog',
      MIGRATIONS: join(work, 'migrations'),
    });
    if (migrated.code !== 0) throw new Error(migrated.out);
  });
  afterAll(async () => {
    pool?.stop();
    await database?.stop();
    rmSync(work, { recursive: true, force: true });
  });

  test('are made once and stay as they are, however often it runs', async () => {
    const state = () =>
      database.query(`SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolcanlogin, rolconnlimit
        FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1; SELECT datname, datdba::regrole, datacl FROM pg_database ORDER BY 1`);
    expect(await roles()).toEqual({ code: 0, out: '' });
    const first = await state();
    expect(await roles()).toEqual({ code: 0, out: '' });
    expect(await state()).toBe(first);
    expect(first).toContain('bridge|f|f|f|f|t|20');
    expect(await database.query("SELECT count(*) FROM pg_authid WHERE rolpassword NOT LIKE 'SCRAM-SHA-256$%'")).toBe(
      '0',
    );
  });

  test('the blog reads and writes rows, and never the schema', async () => {
    await database.query(
      "INSERT INTO posts (id, slug, title, status) VALUES ('1', 'one', 'One', 'published'), ('2', 'two', 'Two', 'draft')",
      'blog',
    );
    expect(
      await as('blog', 'blog', "INSERT INTO comments (id, post_id, author, body) VALUES ('c', '1', 'a', 'b')"),
    ).toBe('');
    expect(await as('blog', 'blog', 'SELECT count(*) FROM comments')).toBe('1');
    expect(await as('blog', 'blog', 'CREATE TABLE mine (id int)')).toContain('permission denied for schema public');
    expect(await as('blog', 'blog', 'DROP TABLE comments')).toContain('must be owner of table comments');
    expect(await as('blog', 'blog', 'DELETE FROM schema_migrations')).toContain('permission denied');
  });

  test('summaries read what is published, and nothing else', async () => {
    await as('blog', 'blog', "INSERT INTO comments (id, post_id, author, body) VALUES ('d', '2', 'a', 'of a draft')");
    await as(
      'blog',
      'blog',
      "INSERT INTO comments (id, post_id, author, body, deleted_at) VALUES ('e', '1', 'a', 'removed', now())",
    );
    expect(await as('comments', 'blog', 'SELECT thread_id, id, text, title, votes FROM porchlight_comments')).toBe(
      '1|c|b|One|0',
    );
    for (const table of ['comments', 'posts', 'page_views'])
      expect(await as('comments', 'blog', `SELECT * FROM ${table}`)).toContain(`permission denied for table ${table}`);
    for (const role of ['comments', 'blog'])
      expect(await as(role, 'blog', 'DELETE FROM porchlight_comments')).toContain('cannot delete from view');
  });

  test('a table of a later migration belongs to the blog too', async () => {
    await database.query('CREATE TABLE later (id bigserial PRIMARY KEY, v int)', 'blog');
    expect(await as('blog', 'blog', 'INSERT INTO later (v) VALUES (1) RETURNING id')).toBe('1');
    expect(await as('comments', 'blog', 'SELECT * FROM later')).toContain('permission denied for table later');
  });

  test.each(['bridge', 'dagster'])('%s owns its database and enters no other', async (role) => {
    expect(await as(role, role, 'CREATE TABLE t (id int); INSERT INTO t VALUES (7); SELECT id FROM t')).toBe('7');
    for (const other of ['blog', 'postgres', role === 'bridge' ? 'dagster' : 'bridge'])
      expect(await as(role, other, 'SELECT 1', database.port)).toContain('permission denied for database');
  });

  test("a program's own database comes back from its dump, still its own", async () => {
    await asPostgres('mkdir', ['-p', join(work, 'backup')]);
    const env = { ...database.env, PGDATABASE: 'bridge', BACKUP: join(work, 'backup'), METRICS: join(work, 'backup') };
    const dumped = await asPostgres('sh', [join(work, 'backup-scripts/dump.sh')], { ...env, TODAY: '20260301' });
    expect(dumped.out).toContain('dump: bridge-20260301.dump');
    await database.query('DROP DATABASE bridge WITH (FORCE)');
    const dump = join(work, 'backup/database/bridge-20260301.dump');
    const restored = await asPostgres('sh', [join(work, 'backup-scripts/restore.sh'), dump, 'bridge'], {
      ...env,
      OWNER: 'bridge',
    });
    expect([restored.code, restored.out]).toEqual([0, expect.stringContaining('restore: bridge from')]);
    expect((await roles()).code).toBe(0);
    expect(await as('bridge', 'bridge', 'INSERT INTO t VALUES (8); SELECT sum(id) FROM t')).toBe('15');
  });

  test('the exporter sees statistics and no rows', async () => {
    const seen = await as('exporter', 'blog', 'SELECT count(*) > 0 FROM pg_stat_activity', database.port);
    expect(seen).toBe('t');
    expect(await as('exporter', 'blog', 'SELECT * FROM comments', database.port)).toContain('permission denied');
  });

  test('the superuser has no way through the pooler, and a changed password holds at once', async () => {
    expect(await as('postgres', 'blog', 'SELECT 1', pool.port, database.env.PGPASSWORD)).toMatch(
      /no such user|SASL|auth/,
    );
    expect((await roles({ BLOG_PASSWORD: 'example-second-password' })).code).toBe(0);
    expect(await as('blog', 'blog', 'SELECT 1', database.port)).toContain('password authentication failed');
    expect(await as('blog', 'blog', 'SELECT 1', database.port, 'example-second-password')).toBe('1');
  });
});
