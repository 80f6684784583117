import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const INSTALLED = '/usr/lib/postgresql';

/** The newest installed PostgreSQL's programs, or undefined where none is. */
export function postgresPrograms(): string | undefined {
  if (!existsSync(INSTALLED)) return undefined;
  const newest = readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a))[0];
  const folder = join(INSTALLED, newest ?? '', 'bin');
  return existsSync(join(folder, 'initdb')) ? folder : undefined;
}

export interface Ran {
  readonly code: number;
  readonly out: string;
}

/** Runs a program as the user `postgres` where the test is root (the server refuses root), else as it is. */
export function asPostgres(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const root = process.getuid?.() === 0;
  const [file, list] = root ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, args];
  return new Promise((resolve) => {
    execFile(
      file,
      list,
      { env: { ...process.env, ...env }, cwd: '/', timeout: 90_000, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out: out + err });
      },
    );
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** A folder that the user `postgres` may write to; the caller removes it. */
export function sharedFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o777);
  return folder;
}

export interface Database {
  readonly port: number;
  /** libpq's variables for a superuser over TCP. */
  readonly env: Readonly<Record<string, string>>;
  query(sql: string, database?: string, port?: number): Promise<string>;
  stop(): Promise<void>;
}

/** A real server of its own: temporary data, an ephemeral port, a password as in the cluster. */
export async function startPostgres(programs: string): Promise<Database> {
  const folder = sharedFolder('porchlight-pg-');
  const port = await freePort();
  const password = 'example-for-tests';
  writeFileSync(join(folder, 'password'), password, { mode: 0o644 });
  const data = join(folder, 'data');
  const made = await asPostgres(join(programs, 'initdb'), [
    '-D',
    data,
    '-U',
    'postgres',
    '-A',
    'scram-sha-256',
    `--pwfile=${join(folder, 'password')}`,
    '--no-sync',
  ]);
  if (made.code !== 0) throw new Error(`initdb: ${made.out}`);
  const options = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=32MB`;
  const started = await asPostgres(join(programs, 'pg_ctl'), [
    '-D',
    data,
    '-w',
    '-t',
    '60',
    '-l',
    join(folder, 'log'),
    '-o',
    options,
    'start',
  ]);
  if (started.code !== 0) throw new Error(`pg_ctl: ${started.out}${readFileSync(join(folder, 'log'), 'utf8')}`);
  const env = {
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: 'postgres',
    PGPASSWORD: password,
    PATH: `${programs}:${process.env.PATH}`,
  };
  return {
    port,
    env,
    async query(sql, database = 'postgres', through = port) {
      const ran = await asPostgres(
        join(programs, 'psql'),
        ['-v', 'ON_ERROR_STOP=1', '-qAt', '-d', database, '-c', sql],
        { ...env, PGPORT: String(through) },
      );
      if (ran.code !== 0) throw new Error(ran.out.slice(0, 2000));
      return ran.out.trim();
    },
    async stop() {
      await asPostgres(join(programs, 'pg_ctl'), ['-D', data, '-m', 'immediate', '-w', 'stop']);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The shipped pgbouncer.ini with only its addresses changed; returns its port and how to stop it. */
export async function startPgbouncer(
  shipped: string,
  database: Database,
  users = `"postgres" "${database.env.PGPASSWORD}"`,
): Promise<{ port: number; stop(): void }> {
  const folder = sharedFolder('porchlight-pool-');
  const port = await freePort();
  const version = Number(
    /(\d+\.\d+)/.exec(execFileSync('/usr/sbin/pgbouncer', ['--version'], { encoding: 'utf8' }))?.[1],
  );
  const ini = shipped
    .replace('host=postgres.web.svc port=5432', `host=127.0.0.1 port=${database.port}`)
    .replace('listen_addr = 0.0.0.0', 'listen_addr = 127.0.0.1')
    .replace('listen_port = 5432', `listen_port = ${port}`)
    .replace('/etc/pgbouncer-auth/userlist.txt', join(folder, 'userlist.txt'))
    // Debian's 1.18 is older than the setting.
    .replace(/^max_prepared_statements.*$/m, (line) => (version < 1.21 ? `; ${line}` : line));
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `${ini}\nlogfile = ${join(folder, 'log')}\npidfile = ${join(folder, 'pid')}\n`,
  );
  writeFileSync(join(folder, 'userlist.txt'), `${users}\n`);
  chmodSync(join(folder, 'userlist.txt'), 0o644);
  const started = await asPostgres('/usr/sbin/pgbouncer', ['-q', '-d', join(folder, 'pgbouncer.ini')]);
  if (started.code !== 0) throw new Error(`pgbouncer: ${started.out}`);
  return {
    port,
    stop() {
      process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
