import { type Database, one, type Sql } from './database.ts';

/** Forward only: a released statement is never edited, a new one is appended. */
const migrations: readonly string[] = [
  `CREATE TABLE purge (
     seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id          text NOT NULL UNIQUE,
     accepted_at timestamptz NOT NULL,
     caller      text NOT NULL,
     request_id  text NOT NULL,
     digest      text NOT NULL,
     body        jsonb NOT NULL
   );
   CREATE TABLE target (
     name        text PRIMARY KEY,
     cursor      bigint NOT NULL,
     lease_owner text,
     lease_until timestamptz
   );
   CREATE TABLE batch (
     id              text PRIMARY KEY,
     target          text NOT NULL REFERENCES target (name),
     first_seq       bigint NOT NULL,
     last_seq        bigint NOT NULL,
     purges          integer NOT NULL,
     state           text NOT NULL CHECK (state IN ('open', 'delivered', 'rejected')),
     attempts        integer NOT NULL DEFAULT 0,
     created_at      timestamptz NOT NULL,
     last_attempt_at timestamptz,
     next_attempt_at timestamptz,
     settled_at      timestamptz,
     error           text,
     outcome         jsonb
   );
   CREATE UNIQUE INDEX batch_by_range ON batch (target, last_seq);
   CREATE UNIQUE INDEX batch_open ON batch (target) WHERE state = 'open';
   CREATE INDEX purge_by_age ON purge (accepted_at);
   CREATE INDEX purge_to_warm ON purge (seq) WHERE body ? 'warm';`,
  `CREATE TABLE rollout (
     deployment   text PRIMARY KEY,
     uid          text NOT NULL,
     generation   bigint NOT NULL,
     serial       bigint NOT NULL,
     template     text NOT NULL,
     images       jsonb NOT NULL,
     published_at timestamptz,
     purge_id     text,
     exposed      text
   );`,
  `CREATE TABLE summary_thread (
     id         text PRIMARY KEY,
     generation bigint NOT NULL,
     visibility text NOT NULL CHECK (visibility IN ('public', 'private')),
     comments   jsonb NOT NULL,
     seen       text NOT NULL,
     held       jsonb NOT NULL,
     record     jsonb,
     updated_at timestamptz NOT NULL
   );
   CREATE TABLE summary_made (
     thread_id text NOT NULL REFERENCES summary_thread (id) ON DELETE CASCADE,
     variant   text NOT NULL,
     key       text NOT NULL,
     seen      text NOT NULL,
     summary   jsonb NOT NULL,
     made_at   timestamptz NOT NULL,
     PRIMARY KEY (thread_id, variant)
   );
   CREATE TABLE summary_job (
     seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id          text NOT NULL UNIQUE,
     accepted_at timestamptz NOT NULL,
     caller      text NOT NULL,
     digest      text NOT NULL,
     thread_id   text NOT NULL,
     priority    text NOT NULL CHECK (priority IN ('interactive', 'background')),
     body        jsonb,
     bytes       integer NOT NULL,
     state       text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed')),
     attempts    integer NOT NULL DEFAULT 0,
     lease_owner text,
     lease_until timestamptz,
     progress    jsonb,
     result      jsonb,
     error       jsonb,
     settled_at  timestamptz
   );
   CREATE INDEX summary_job_open ON summary_job (seq) WHERE state IN ('queued', 'running');
   CREATE INDEX summary_job_by_thread ON summary_job (thread_id);
   CREATE INDEX summary_job_by_age ON summary_job (settled_at);`,
];

/** A newer bridge has been here; waiting does not help. */
export class SchemaTooNew extends Error {}

/** Any number, the same in every version: two bridges that start together migrate one after the other. */
const ADVISORY_LOCK = 7_604_381_225;

/**
 * Brings the schema up to date in one transaction, under a transaction-level advisory lock (a session-level one does not survive
 * PgBouncer's transaction mode).
 * @returns the schema's version.
 */
export function migrate(database: Database): Promise<number> {
  return database.transaction(async (sql) => {
    await sql.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
    await sql.query(
      'CREATE TABLE IF NOT EXISTS porchlight_schema (version integer NOT NULL, applied_at timestamptz NOT NULL)',
    );
    const row = await one<{ version: number | null }>(sql, 'SELECT max(version) AS version FROM porchlight_schema');
    const current = row?.version ?? 0;
    if (current > migrations.length) {
      throw new SchemaTooNew(
        `the store has schema ${current}, this version knows ${migrations.length}: run a newer bridge`,
      );
    }
    for (const [index, migration] of migrations.slice(current).entries()) {
      await runStatements(sql, migration);
      await sql.query('INSERT INTO porchlight_schema VALUES ($1, clock_timestamp())', [current + index + 1]);
    }
    return migrations.length;
  });
}

/** One statement at a time: the extended protocol takes no more, and the embedded store speaks nothing else. */
async function runStatements(sql: Sql, script: string): Promise<void> {
  for (const statement of script.split(';')) if (statement.trim() !== '') await sql.query(statement);
}
