import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Bridge, type Capabilities, startBridge } from '../../bridge/bridge.ts';
import { readConfig } from '../../bridge/config.ts';
import { createLogger } from '../../bridge/log.ts';
import { openStore } from '../../bridge/store/open.ts';

export const BRIDGE_TOKEN = 'ci-example-token-0123456789';

export interface TestBridge {
  readonly url: string;
  readonly data: string;
  readonly logs: string[];
  readonly bridge: Bridge;
  call(path: string, init?: RequestInit): Promise<Response>;
  /** Stops it and removes its data, unless `keepData`. */
  stop(keepData?: boolean): Promise<void>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** An empty store to copy: making one takes seconds. Kept in the cache folder under what it was made with. */
async function emptyStore(): Promise<string> {
  const made = createHash('sha256');
  for (const path of ['bridge/store/migrations.ts', 'node_modules/@electric-sql/pglite/package.json']) {
    made.update(readFileSync(join(root, path)));
  }
  const directory = join(root, '.cache', `empty-store-${made.digest('hex').slice(0, 12)}`);
  if (existsSync(directory)) return directory;
  mkdirSync(join(root, '.cache'), { recursive: true });
  const aside = mkdtempSync(`${directory}-`);
  await (await openStore({ databaseUrl: null, dataDirectory: aside }, () => {})).close();
  try {
    renameSync(aside, directory);
  } catch {
    // Another test file was faster.
    rmSync(aside, { recursive: true, force: true });
  }
  return directory;
}

/** A data directory with an empty embedded store in it. */
export async function newDataDirectory(): Promise<string> {
  const data = mkdtempSync(join(tmpdir(), 'porchlight-bridge-'));
  cpSync(await emptyStore(), data, { recursive: true });
  return data;
}

/** A whole bridge in this process on a port of its own, with an embedded store in a directory of its own. */
export async function startTestBridge(
  env: Record<string, string>,
  options: { data?: string; capabilities?: Partial<Capabilities> } = {},
): Promise<TestBridge> {
  const data = options.data ?? (await newDataDirectory());
  const read = readConfig(['--port', '0', '--data', data], {
    BRIDGE_TOKENS: `ci:${BRIDGE_TOKEN}`,
    LOG_LEVEL: 'info',
    ...env,
  });
  if (!read.ok) throw new Error(read.errors.join('\n'));
  const logs: string[] = [];
  const log = createLogger('info', { write: (line) => void logs.push(line) });
  const bridge = await startBridge(read.config, log, {
    now: Date.now,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    fetch: globalThis.fetch,
    ...options.capabilities,
  });
  const url = `http://127.0.0.1:${bridge.port}`;
  return {
    url,
    data,
    logs,
    bridge,
    call: (path, init = {}) =>
      fetch(url + path, { ...init, headers: { authorization: `Bearer ${BRIDGE_TOKEN}`, ...(init.headers as object) } }),
    stop: async (keepData = false) => {
      await bridge.stop();
      if (!keepData) rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Polls until the condition holds; generous, because a machine may be busy. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | null | false> | T | null | false,
  ms = 30_000,
): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const value = await condition();
    if (value !== null && value !== false) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
