import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

let template: Promise<string> | null = null;

/** An empty store to copy: making one takes seconds. Once per test file, gone with its process. */
function emptyStore(): Promise<string> {
  template ??= (async () => {
    const directory = mkdtempSync(join(tmpdir(), 'porchlight-empty-store-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    const store = await openStore({ databaseUrl: null, dataDirectory: directory }, () => {});
    await store.close();
    return directory;
  })();
  return template;
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
