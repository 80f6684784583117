import type { EdgeConfig, EdgeEnv } from './config.ts';
import type { EngineDeps, EngineLimits } from './engine/deps.ts';
import { PageReader } from './engine/reader.ts';
import { Unsharing } from './engine/unshare.ts';
import { coloSnapshot } from './ledger/shared-snapshot.ts';
import { type LedgerRemote, type LedgerTiming, LedgerView, timely } from './ledger/view.ts';
import { Origin, type OriginTiming } from './origin/origin.ts';
import { httpTransport, type Transport, vpcTransport } from './origin/transport.ts';
import { isAccessLogin, isGatewayError } from './policy/impostor.ts';
import { consoleReport, messageOf } from './report.ts';
import { OwnStage } from './stage/own.ts';
import type { CacheStage } from './stage/stage.ts';
import { type PlatformCache, WorkersCacheStage } from './stage/workers-cache.ts';
import { ArchiveTier } from './tiers/archive.ts';
import { ColoTier } from './tiers/colo.ts';
import { MemoryTier } from './tiers/memory.ts';

const MB = 1024 * 1024;

const LIMITS: Omit<EngineLimits, 'staleWaitMs'> = {
  leaseWaitMs: 8_000,
  ledgerMs: 1_000,
  shareMs: 3_600_000,
  partBytes: MB,
  body: { maxBytes: 25 * MB, budget: { used: 0, max: 40 * MB }, windowBytes: MB, idleMs: 15_000, unreadMs: 30_000 },
};

const BREAKER = { threshold: 4, windowMs: 10_000, baseMs: 1_000, maxMs: 15_000, probeTimeoutMs: 10_000 };

export function ledgerTiming(config: EdgeConfig): LedgerTiming {
  return {
    refreshMs: config.zonePurge ? 20_000 : 2_000,
    trustMs: config.zonePurge ? 60_000 : 5_000,
    shareMs: 250,
    deadlineMs: 1_200,
  };
}

/** One isolate's edge: every capability built once, from validated configuration. */
export interface Edge {
  readonly config: EdgeConfig;
  readonly deps: EngineDeps;
  readonly reader: PageReader;
  readonly ledgerTiming: LedgerTiming;
  readonly memory: MemoryTier;
  readonly origins: ReadonlyMap<string, Origin>;
  /** May this client send one more unsafe request now? */
  readonly mayWrite: (client: string | undefined) => Promise<boolean>;
}

function limiter(binding: RateLimit | undefined): (client: string | undefined) => Promise<boolean> {
  if (binding === undefined) return async () => true;
  // Requests without an address are the edge's own (warming); they have their own bounds.
  return async (client) => client === undefined || (await binding.limit({ key: client })).success;
}

/** Longest the ledger may take, ms: to be read, with readers behind it; to be written to. */
const LEDGER_MS = { read: 1_000, write: 5_000 };

/** The ledger's object, looked up anew each time: a stub that failed once is not used again. */
function ledgerRemote(namespace: DurableObjectNamespace): LedgerRemote {
  const stub = (): LedgerRemote => namespace.get(namespace.idFromName('ledger')) as unknown as LedgerRemote;
  return {
    read: (known) => timely(stub().read(known), LEDGER_MS.read, 'reading the ledger'),
    invalidate: (requests, mode, id) =>
      timely(stub().invalidate(requests, mode, id), LEDGER_MS.write, 'writing to the ledger'),
    // Waits for other data centres on purpose; who asks sets the deadline.
    acquire: (key, since, waitMs) => stub().acquire(key, since, waitMs),
    complete: (key, lease, report, shareMs) =>
      timely(stub().complete(key, lease, report, shareMs), LEDGER_MS.write, 'reporting to the ledger'),
  };
}

export function assemble(env: EdgeEnv, config: EdgeConfig, platformCache: PlatformCache | undefined): Edge {
  const clock = (): number => Date.now();
  const report = consoleReport(clock, (line) => console.log(line));
  const onError = (what: string) => (error: unknown) => report(what, { error: messageOf(error) });
  const publicOrigin = config.site.upstreams.blog?.publicOrigin ?? 'http://localhost';
  const cache = caches.open(config.colo === '' ? 'porchlight' : `porchlight-${config.colo}`);
  const memory = new MemoryTier({ maxBytes: config.memoryBytes, maxEntryBytes: 2 * MB });
  const stage: CacheStage =
    config.stage === 'own'
      ? new OwnStage(memory, new ColoTier(cache, publicOrigin), onError('colo-failed'))
      : new WorkersCacheStage(platformCache);
  const timing: OriginTiming = { firstByteMs: config.firstByteMs, breaker: BREAKER };
  const origins = new Map<string, Origin>();
  for (const [name, upstream] of Object.entries(config.site.upstreams)) {
    const service = name === 'blog' ? env.BLOG_VPC : name === 'bridge' ? env.BRIDGE_VPC : undefined;
    const send = (input: string, init: RequestInit): Promise<Response> => fetch(input, init);
    const transport: Transport =
      service === undefined
        ? httpTransport(upstream, config.access, send)
        : vpcTransport(upstream, { fetch: (input, init) => service.fetch(input, init) });
    const isAlive = (response: Response): boolean =>
      !isGatewayError(response.status) && !isAccessLogin(response.status, [...response.headers]);
    const onFailure = (failure: string, error: unknown): void =>
      report('origin-failed', { upstream: name, failure, error: messageOf(error) });
    origins.set(name, new Origin(transport, timing, { clock, random: Math.random, onFailure, isAlive }));
  }
  const remote = ledgerRemote(env.LEDGER);
  const timings = ledgerTiming(config);
  const archive = new ArchiveTier(env.ARCHIVE);
  const ledger = new LedgerView(remote, coloSnapshot(cache, publicOrigin), timings, onError('ledger-failed'));
  const deps: EngineDeps = {
    clock,
    stage,
    archive,
    ledger,
    leases: remote,
    unsharing: new Unsharing({ clock, stage, archive, ledger, leases: remote, report }),
    origin: (name) => {
      const origin = origins.get(name);
      if (origin === undefined) throw new Error(`No upstream is called "${name}".`);
      return origin;
    },
    freshness: config.site.freshness,
    mayMiss: limiter(env.LIMIT_MISS),
    limits: { ...LIMITS, staleWaitMs: config.staleWaitMs },
    secure: config.secure,
    report,
  };
  return {
    config,
    deps,
    reader: new PageReader(deps),
    ledgerTiming: timings,
    memory,
    origins,
    mayWrite: limiter(env.LIMIT_UNSAFE),
  };
}
