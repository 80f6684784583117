import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Edition } from './deviations.ts';
import type { Kind, Outcome, Verdict } from './judge.ts';

/** A test as the suite declares it; only what is read here. */
interface SuiteTest {
  id: string;
  name: string;
  kind?: 'required' | 'optimal' | 'check';
  browser_only?: boolean;
  dump?: boolean;
}

interface SuiteGroup {
  id: string;
  name: string;
  description: string;
  tests: SuiteTest[];
}

/** True, or the name of the error and its message. */
export type Results = Record<string, true | [name: string, message: string]>;

type Determine = (groups: SuiteGroup[], id: string, results: Results, honorDependencies: boolean) => string[];
type Fetch = typeof fetch;

export interface Published {
  name: string;
  version: string;
  results: Results;
}

export interface Suite {
  edition: Edition;
  dir: string;
  serverScript: string;
  /** Ids of all tests that apply to an intermediary. */
  ids: string[];
  /** Runs the tests 25 at a time, or one of them with every message dumped; `done` counts finished tests. */
  run: (base: string, only: string | undefined, onProgress: (done: number) => void) => Promise<Results>;
  /** Classifies results as the suite does; a test whose prerequisite failed is a failure of its own kind. */
  verdicts: (results: Results, honorDependencies?: boolean) => Verdict[];
  /** The results of other shared caches that come with the suite. */
  published: () => Promise<Published[]>;
}

const AT_A_TIME = 25;
const KINDS: Record<string, Kind> = { required: 'required', optimal: 'optional', check: 'check' };

/** The third element of the suite's result types is the only one meant for a terminal. */
const OUTCOMES: Record<string, Outcome> = {
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'fail',
  Y: 'yes',
  N: 'no',
  '-': 'untested',
  '🔹': 'setup failed',
  '⁉️': 'harness failed',
  '⚪️': 'dependency failed',
  '↻': 'retried',
};

/** The suite's client imports undici, which a plain clone has not installed: Miniflare's copy serves. */
function provideUndici(dir: string): void {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve('miniflare'));
  const url = pathToFileURL(fromMiniflare.resolve('undici')).href;
  const inside = pathToFileURL(dir).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'undici' && context.parentURL?.startsWith(inside) === true
        ? { url, shortCircuit: true }
        : next(specifier, context),
  });
}

/**
 * The older edition sets no deadline of its own. What sets a test up is no part of it, and a PUT may be sent again (RFC 9110 section 9.2.2): on a machine that
 * is held up it can meet a connection that the suite's server is just closing.
 */
const boundedFetch: Fetch = async (input, init) => {
  const send = () => fetch(input, { signal: AbortSignal.timeout(10_000), ...init });
  const response = await send();
  const isSetUp = init?.method === 'PUT' && new URL(String(input)).pathname.startsWith('/config/');
  if (!isSetUp || response.status !== 503) return response;
  await response.body?.cancel();
  return send();
};

async function load<T>(dir: string, path: string): Promise<T> {
  return (await import(pathToFileURL(join(dir, path)).href)) as T;
}

async function published(dir: string): Promise<Published[]> {
  interface Entry {
    file: string;
    name: string;
    type: string;
    version: string;
  }
  const { default: entries } = await load<{ default: Entry[] }>(dir, 'results/index.mjs');
  const caches = entries.filter((entry) => entry.type !== 'browser');
  return Promise.all(
    caches.map(async ({ file, name, version }) => {
      const text = await readFile(join(dir, 'results', file), 'utf8');
      return { name, version, results: JSON.parse(text) as Results };
    }),
  );
}

/**
 * Loads the suite from a folder, of either layout.
 * @throws Error if the folder does not hold the suite.
 */
export async function loadSuite(dir: string): Promise<Suite> {
  const current = existsSync(join(dir, 'test-engine/client/runner.mjs'));
  const engine = current ? 'test-engine/' : '';
  if (!existsSync(join(dir, `${engine}client/runner.mjs`))) {
    throw new Error(`${dir} holds no http-tests/cache-tests: neither test-engine/client nor client has a runner.mjs`);
  }
  provideUndici(dir);
  const { default: groups } = await load<{ default: SuiteGroup[] }>(dir, 'tests/index.mjs');
  const { determineTestResult } = await load<{ determineTestResult: Determine }>(
    dir,
    current ? 'test-engine/lib/results.mjs' : 'lib/display.mjs',
  );
  interface Runner {
    runTests: (...args: unknown[]) => Promise<void>;
    getResults: () => Results;
  }
  const { runTests, getResults } = await load<Runner>(dir, `${engine}client/runner.mjs`);
  const { testResults } = await load<{ testResults: Results }>(dir, `${engine}client/test.mjs`);
  const ids = groups.flatMap((group) => group.tests.filter((t) => t.browser_only !== true).map((t) => t.id));

  const run: Suite['run'] = async (base, only, onProgress) => {
    const chosen = only === undefined ? groups : pick(groups, only);
    const timer = setInterval(() => onProgress(Object.keys(testResults).length), 1000);
    try {
      if (current) await runTests(chosen, false, base, AT_A_TIME);
      else await runTests(chosen, boundedFetch, false, base, AT_A_TIME);
    } finally {
      clearInterval(timer);
    }
    return getResults();
  };

  const verdicts: Suite['verdicts'] = (results, honorDependencies = true) =>
    groups.flatMap((group) =>
      group.tests
        .filter((t) => t.browser_only !== true)
        .map((t): Verdict => {
          const symbol = determineTestResult(groups, t.id, results, honorDependencies)[2] ?? '';
          const outcome = OUTCOMES[symbol];
          const kind = KINDS[t.kind ?? 'required'];
          if (outcome === undefined || kind === undefined) throw new Error(`${t.id}: unknown result ${symbol}`);
          const result = results[t.id];
          const message = Array.isArray(result) ? `${result[0]}: ${result[1]}` : undefined;
          return { id: t.id, name: t.name, group: group.name, kind, outcome, ...(message && { message }) };
        }),
    );

  return {
    edition: current ? 'current' : '0.4.5',
    dir,
    serverScript: `${engine}server/server.mjs`,
    ids,
    run,
    verdicts,
    published: () => published(dir),
  };
}

function pick(groups: SuiteGroup[], id: string): SuiteGroup[] {
  const found = groups.flatMap((group) =>
    group.tests.filter((t) => t.id === id).map((t) => ({ ...group, tests: [{ ...t, dump: true }] })),
  );
  if (found.length === 0) throw new Error(`the suite has no test ${id}`);
  return found;
}
