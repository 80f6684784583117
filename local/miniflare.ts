import { Miniflare, type MiniflareOptions } from 'miniflare';
import { bundleWorker, COMPATIBILITY_DATE } from './bundle.ts';

export interface LocalEdgeOptions {
  readonly origin: string;
  readonly bridge?: string;
  /** Ports of the simulated data centres, one each. */
  readonly ports: readonly number[];
  readonly host: string;
  /** Archive and ledger live here and survive kill -9; without it they live in memory. */
  readonly dataDir?: string;
  readonly forward: 'keyed' | 'all';
  readonly anyHost: boolean;
  readonly edgeToken: string | undefined;
  /** Further variables of the Worker, as in wrangler.toml. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Requests per minute one client may cause at home; none locally unless asked for. */
  readonly missLimit?: number;
}

export interface LocalEdge {
  stop(): Promise<void>;
}

type Binding = Record<string, unknown>;

/** The variables of one simulated data centre's Worker. */
export function workerVariables(options: LocalEdgeOptions, colo: string): Record<string, string> {
  return {
    BLOG_ORIGIN: options.origin,
    DOMAIN: 'localhost',
    SCHEME: 'http',
    ANY_HOST: String(options.anyHost),
    FORWARD: options.forward,
    COLO: colo,
    ...(options.bridge === undefined ? {} : { BRIDGE_ORIGIN: options.bridge }),
    ...(options.edgeToken === undefined ? {} : { EDGE_TOKEN: options.edgeToken }),
    ...options.vars,
  };
}

function bindings(options: LocalEdgeOptions, colo: string): Record<string, Binding> {
  const vars = workerVariables(options, colo);
  const env: Record<string, Binding> = {
    ARCHIVE: { type: 'r2', name: 'archive' },
    LEDGER: { type: 'durable-object', worker: 'colo-1', exportName: 'Ledger' },
  };
  for (const [name, value] of Object.entries(vars)) env[name] = { type: 'text', value };
  if (options.missLimit !== undefined) {
    for (const [name, namespace] of [
      ['LIMIT_MISS', '1001'],
      ['LIMIT_UNSAFE', '1002'],
      ['LIMIT_API', '1003'],
    ] as const) {
      env[name] = { type: 'rate-limit', namespace, simple: { limit: options.missLimit, period: 60 } };
    }
  }
  return env;
}

/** The Worker in workerd, once per simulated data centre: own memory and cache each, one archive and one ledger. */
export async function startEdge(options: LocalEdgeOptions): Promise<LocalEdge> {
  const { code } = await bundleWorker();
  const workers = options.ports.map((port, index) => {
    const colo = `colo-${index + 1}`;
    return {
      config: {
        name: colo,
        compatibilityDate: COMPATIBILITY_DATE,
        manifest: {
          mainModule: 'index.mjs',
          modulesRoot: '/',
          modules: { 'index.mjs': { type: 'esm', contents: code } },
        },
        env: bindings(options, colo),
        ...(index === 0 ? { exports: { Ledger: { type: 'durable-object', storage: 'sqlite' } } } : {}),
      },
      dev: { unsafeDirectSockets: [{ host: options.host, port }] },
    };
  });
  const settings = { workers, ...(options.dataDir === undefined ? {} : { resourcePersistencePath: options.dataDir }) };
  const miniflare = new Miniflare(settings as unknown as MiniflareOptions);
  await miniflare.ready;
  return { stop: () => miniflare.dispose() };
}
