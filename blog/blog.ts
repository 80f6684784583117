import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { createApp } from './app.ts';
import { createMetrics } from './metrics.ts';
import { createDisk, watchDisk } from './posts/disk.ts';
import { describeProblem } from './posts/problem.ts';
import { type ContentStore, createContentStore } from './posts/store.ts';
import { closeServer, listenOn } from './server.ts';
import { DEFAULT_SITE, type Site } from './site.ts';
import { patiently, within } from './wait.ts';

/** One thing that happened, for the log. */
export interface LogEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  readonly detail?: string;
}

/**
 * A part that brings its own storage: comments and page views in PostgreSQL, say. The blog works
 * without any; what an extension serves is its own to declare uncacheable.
 */
export interface Extension {
  mount(app: Hono): void;
  /** What is wrong with it, for /ready; nothing when it can do its job. Posts are served either way. */
  problem(): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface BlogOptions {
  readonly contentDir: string;
  /** Origin of every absolute address, without a trailing slash. */
  readonly baseUrl: string;
  readonly site?: Partial<Omit<Site, 'baseUrl'>>;
  readonly commit?: string;
  readonly log?: (event: LogEvent) => void;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** How often to look at the disk when nothing asks, milliseconds. */
  readonly pollMs?: number;
  /** Whether /metrics also reports on the process. */
  readonly runtimeMetrics?: boolean;
  readonly extensions?: readonly Extension[];
}

export interface Listening {
  readonly port: number;
  /** Finishes the answers under way, then stops looking at the disk. */
  close(): Promise<void>;
}

export interface Blog {
  readonly app: Hono;
  /** Port 0 takes any free one. Rejects if the port cannot be had. */
  listen(port: number, host?: string): Promise<Listening>;
  /** /ready says 503 from now on; everything else goes on. */
  drain(): void;
}

/** The first look at the disk may have many posts to render; later ones few. */
const FIRST_LOOK_MS = 10_000;
const LOOK_MS = 3_000;
const PROBE_MS = 1_000;

const ROOT = fileURLToPath(new URL('.', import.meta.url));

function versionOf({ commit }: BlogOptions): { name: string; version: string; commit?: string } {
  return { name: 'porchlight-blog', version: programVersion(), ...(commit ? { commit } : {}) };
}

/** The whole blog, ready to be asked through `app` or to listen. */
export function createBlog(options: BlogOptions): Blog {
  const { contentDir, baseUrl, log = () => {}, now = Date.now, extensions = [] } = options;
  const metrics = createMetrics(options.runtimeMetrics ?? false);
  let draining = false;
  let reported = '';

  const problems = () => listProblems(store, contentDir);
  const store = createContentStore({
    fs: createDisk(contentDir),
    now,
    onChange: (catalogue) => {
      const found = problems();
      metrics.content(catalogue, found.length);
      log({
        level: 'info',
        event: 'content',
        detail: `${catalogue?.posts.length ?? 0} posts, ${found.length} problems`,
      });
      if (found.join() !== reported)
        for (const detail of found) log({ level: 'error', event: 'content-problem', detail });
      reported = found.join();
    },
  });

  const app = createApp({
    site: { ...DEFAULT_SITE, ...options.site, baseUrl },
    store,
    built: lastProgramChange(),
    now,
    version: versionOf(options),
    metrics,
    // Asked on every page, so that whoever purges right after a write never stores the page from before it.
    fresh: patiently(store.refresh, () => (store.current() ? LOOK_MS : FIRST_LOOK_MS)),
    readiness: async () => {
      if (store.current() === undefined) await within(store.refresh(), PROBE_MS);
      const loaded = store.current();
      const ailing = await Promise.all(extensions.map((extension) => within(extension.problem(), PROBE_MS)));
      return {
        ready: loaded !== undefined && !draining,
        status: draining ? 'draining' : loaded === undefined ? 'starting' : 'ready',
        posts: loaded?.posts.length ?? 0,
        problems: [...problems(), ...ailing.filter((problem) => problem !== undefined)],
      };
    },
    onError: (error, path) => log({ level: 'error', event: 'request-failed', detail: `${path}: ${error.stack}` }),
    extend: (target) => {
      for (const extension of extensions) extension.mount(target);
    },
  });

  return {
    app,
    listen: (port, host = '127.0.0.1') => listen({ app, store, options, log }, port, host),
    drain: () => {
      draining = true;
    },
  };
}

interface Running {
  readonly app: Hono;
  readonly store: ContentStore;
  readonly options: BlogOptions;
  readonly log: (event: LogEvent) => void;
}

async function listen({ app, store, options, log }: Running, port: number, host: string): Promise<Listening> {
  const { contentDir, pollMs = 2_000, extensions = [] } = options;
  const server = createAdaptorServer({ fetch: app.fetch });
  await listenOn(server, port, host);
  const look = () => void store.refresh();
  look();
  const watcher = watchDisk(contentDir, look, (error) => {
    log({ level: 'warn', event: 'watch-ended', detail: `${error.message}; looking every ${pollMs} ms instead` });
  });
  const timer = setInterval(look, pollMs).unref();
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      clearInterval(timer);
      watcher.close();
      await closeServer(server);
      await Promise.all(extensions.map((extension) => extension.close()));
    },
  };
}

function listProblems(store: ContentStore, contentDir: string): readonly string[] {
  const unreadable = store.unreadable();
  const whole =
    unreadable === undefined ? [] : [`${contentDir}: cannot be read (${unreadable}); the last good posts stay`];
  return [...whole, ...(store.current()?.problems ?? []).map(describeProblem)];
}

/** When the templates last changed, epoch milliseconds: pages are at least as new as the program that makes them. */
function lastProgramChange(): number {
  const sources = ['.', 'feeds', 'http', 'pages', 'posts'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter((entry) => entry.isFile() && /(?<!\.test)\.(?:ts|css)$/.test(entry.name))
      .map((entry) => join(ROOT, folder, entry.name)),
  );
  return Math.max(0, ...sources.map((file) => statSync(file).mtimeMs));
}

function programVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, '..', 'package.json'), 'utf8')) as { version: string };
  return version;
}
