import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './bridge.ts';
import { type Child, freePort, run, startChild } from './process.ts';

export interface TestPostgres {
  /** Straight to the server. */
  readonly url: string;
  /** Through PgBouncer in transaction mode. */
  readonly pooledUrl: string;
  stop(): Promise<void>;
}

const ROOT = '/usr/lib/postgresql';

function binaries(): string {
  const versions = existsSync(ROOT) ? readdirSync(ROOT).sort((left, right) => Number(right) - Number(left)) : [];
  const found = versions.map((version) => join(ROOT, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  if (!found || !existsSync('/usr/sbin/pgbouncer'))
    throw new Error('needs PostgreSQL and PgBouncer: apt-get install postgresql pgbouncer');
  return found;
}

/** PostgreSQL refuses to run as root. */
const asPostgres = (command: string, args: readonly string[]): [string, string[]] =>
  process.getuid?.() === 0 ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, [...args]];

/** A PostgreSQL server and a PgBouncer before it, on loopback, in a directory of their own that goes away with them. */
export async function startPostgres(): Promise<TestPostgres> {
  const bin = binaries();
  const directory = mkdtempSync(join(tmpdir(), 'porchlight-postgres-'));
  if (process.getuid?.() === 0) {
    const uid = Number((await run('id', ['-u', 'postgres'])).trim());
    const gid = Number((await run('id', ['-g', 'postgres'])).trim());
    chownSync(directory, uid, gid);
  }
  const files = join(directory, 'data');
  await run(
    ...asPostgres(join(bin, 'initdb'), ['-D', files, '-U', 'porchlight', '--auth=trust', '-E', 'UTF8', '--no-sync']),
  );
  const port = await freePort();
  const server = startChild(
    ...asPostgres(join(bin, 'postgres'), ['-D', files, '-p', String(port), '-h', '127.0.0.1', '-k', directory]),
  );
  await until('PostgreSQL answers', () => answers(bin, port), 60_000);
  const pooled = await startPgBouncer(directory, port);
  await until('PgBouncer answers', () => answers(bin, pooled.port), 60_000);
  return {
    url: `postgres://porchlight@127.0.0.1:${port}/postgres`,
    pooledUrl: `postgres://porchlight@127.0.0.1:${pooled.port}/postgres`,
    stop: async () => {
      await pooled.child.kill('SIGTERM');
      // runuser hands the signal on; SIGINT is PostgreSQL's fast shutdown.
      await server.kill('SIGTERM');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function answers(bin: string, port: number): Promise<boolean> {
  const child = startChild(join(bin, 'psql'), [
    `postgres://porchlight@127.0.0.1:${port}/postgres?connect_timeout=2`,
    '-c',
    'SELECT 1',
  ]);
  return (await child.ended) === 0;
}

async function startPgBouncer(directory: string, serverPort: number): Promise<{ child: Child; port: number }> {
  const port = await freePort();
  const config = join(directory, 'pgbouncer.ini');
  writeFileSync(
    config,
    `[databases]
postgres = host=127.0.0.1 port=${serverPort} dbname=postgres user=porchlight
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 6
max_client_conn = 100
ignore_startup_parameters = extra_float_digits
server_reset_query =
`,
  );
  return { child: startChild(...asPostgres('/usr/sbin/pgbouncer', [config])), port };
}
