import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../policy/backoff.ts';
import { lockDataDirectory } from './data-lock.ts';
import type { Database } from './database.ts';
import { openEmbedded } from './embedded.ts';
import { migrate, SchemaTooNew } from './migrations.ts';
import { openPostgres } from './postgres.ts';

export interface StoreConfig {
  readonly databaseUrl: string | null;
  readonly dataDirectory: string;
}

/** A server that starts with us, as after a power cut, takes its time; after this a restart by somebody else is due. */
const PATIENCE_MS = 60_000;
const RETRY = { firstMs: 250, maxMs: 5000 };

/** The store the configuration names, with its schema up to date. */
export async function openStore(config: StoreConfig, onError: (error: Error) => void): Promise<Database> {
  const { databaseUrl, dataDirectory } = config;
  const database = databaseUrl === null ? await openLocked(dataDirectory) : openPostgres(databaseUrl, onError);
  const until = performance.now() + (databaseUrl === null ? 0 : PATIENCE_MS);
  for (let failures = 1; ; failures++) {
    try {
      await migrate(database);
      return database;
    } catch (error) {
      if (performance.now() > until || error instanceof SchemaTooNew) {
        await database.close();
        throw error;
      }
      onError(error as Error);
      await sleep(backoff(failures, Math.random(), RETRY));
    }
  }
}

async function openLocked(directory: string): Promise<Database> {
  const release = lockDataDirectory(directory);
  try {
    const database = await openEmbedded(await prepare(directory));
    return {
      ...database,
      close: async () => {
        await database.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Creating a cluster takes seconds: it is made aside and moved into place whole, so that a kill in between leaves none that is half made. */
async function prepare(directory: string): Promise<string> {
  const files = join(directory, 'postgres');
  if (existsSync(files)) return files;
  const aside = join(directory, 'postgres.new');
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  await (await openEmbedded(aside)).close();
  for (const entry of readdirSync(aside, { recursive: true, encoding: 'utf8' })) syncPath(join(aside, entry));
  syncPath(aside);
  renameSync(aside, files);
  syncPath(directory);
  return files;
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
