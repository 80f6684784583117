import { ApiGuard } from './access/api-guard.ts';
import { apiGate } from './access/config.ts';
import type { EdgeConfig, EdgeEnv } from './config.ts';
import type { EngineDeps, EngineLimits } from './engine/deps.ts';
import { PageReader } from './engine/reader.ts';
import { Unsharing } from './engine/unshare.ts';
import type { Ledger } from './ledger/ledger.ts';
import { coloSnapshot } from './ledger/shared-snapshot.ts';
import { type LedgerRemote, type LedgerTiming, LedgerView, timely } from './ledger/view.ts';
import type { Origin } from './origin/origin.ts';
import { originsOf } from './origin/origins.ts';
import { Sightings } from './origin/sightings.ts';
import { EMPTY_SNAPSHOT, type LedgerSnapshot } from './policy/invalidation.ts';
import type { Sighting } from './policy/uptime.ts';
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
  readonly api: ApiGuard;
}

function limiter(binding: RateLimit | undefined): (client: string | undefined) => Promise<boolean> {
  if (binding === undefined) return async () => true;
  // Requests without an address are the edge's own (warming); they have their own bounds.
  return async (client) => client === undefined || (await binding.limit({ key: client })).success;
}

/** Longest the ledger may take, ms: to be read, with readers behind it; to be written to. */
const LEDGER_MS = { read: 1_000, write: 5_000 };

/** The ledger's own methods: some calls take along what this isolate saw of home. */
type LedgerStub = Pick<Ledger, 'read' | 'invalidate' | 'acquire' | 'complete' | 'health'>;

/** The ledger's object, looked up anew each time: a stub that failed once is not used again. */
function ledgerRemote(namespace: DurableObjectNamespace, news: () => readonly Sighting[] | undefined): LedgerRemote {
  const stub = (): LedgerStub => namespace.get(namespace.idFromName('ledger')) as unknown as LedgerStub;
  let newest = EMPTY_SNAPSHOT;
  const noted = <T extends LedgerSnapshot | undefined>(snapshot: T): T => {
    if (snapshot !== undefined) newest = snapshot;
    return snapshot;
  };
  return {
    read: async (known) => noted(await timely(stub().read(known, news()), LEDGER_MS.read, 'reading the ledger')),
    health: () => timely(stub().health(news()), LEDGER_MS.read, 'asking the ledger'),
    invalidate: (requests, mode, id) =>
      timely(stub().invalidate(requests, mode, id), LEDGER_MS.write, 'writing to the ledger'),
    // Waits for other data centres on purpose; who asks sets the deadline.
    acquire: (key, since, waitMs) => stub().acquire(key, since, waitMs),
    // Thousands of lines do not travel with every report: only to who does not have them.
    complete: async (key, lease, report, shareMs) => {
      const told = stub().complete(key, lease, report, shareMs, news(), newest.seq);
      return noted(await timely(told, LEDGER_MS.write, 'reporting to the ledger')) ?? newest;
    },
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
  const sightings = new Sightings();
  const origins = originsOf(env, config, { clock, report, note: (sighting) => sightings.note(sighting) });
  const remote = ledgerRemote(env.LEDGER, () => sightings.take(clock()));
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
    api: new ApiGuard({
      gate: apiGate(config.api, clock, (url, init) => fetch(url, init)),
      mayCall: limiter(env.LIMIT_API),
    }),
  };
}
