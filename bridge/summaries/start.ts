import type { Gate } from '../../shared/access/gate.ts';
import type { BridgeConfig } from '../config.ts';
import type { Metrics } from '../health/metrics.ts';
import type { App } from '../http/route.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { extract } from './extractive/extract.ts';
import { JobRunner } from './jobs.ts';
import { modelless } from './maker.ts';
import type { Queue } from './parts.ts';
import { mountSummaryRoutes } from './routes.ts';
import { SummaryService } from './service.ts';
import { postgresSource } from './source.ts';
import { JobStore } from './store/jobs.ts';
import { Threads } from './store/threads.ts';
import { mountThreadRoutes } from './thread-routes.ts';

export interface SummaryParts {
  readonly config: BridgeConfig;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  /** A purge was queued. */
  readonly purged: () => void;
}

export interface Summaries {
  mount(app: App, gate: Gate): void;
  /** What waits for the model and what it works on, for the status. */
  queue(): Record<string, unknown>;
  /** Jobs under way are given back; what else is being made is broken off. */
  stop(): Promise<void>;
}

const HEARTBEAT_MS = 10_000;
const FORGET_MS = 3_600_000;

/** Opens what summaries need and starts working on the jobs that wait. */
export async function startSummaries(parts: SummaryParts): Promise<Summaries> {
  const { config, database, metrics, log, now, random, newId, purged } = parts;
  const stumbled = (error: Error) => {
    metrics.storeErrors.inc();
    log.warn({ error: error.message }, 'a summary had to do without the store');
  };
  const maker = modelless(extract, now);
  const queue: Queue = { submit: () => ({ ok: false, reason: 'full', retryAfterMs: 1000 }) };
  const threads = new Threads(database, { now, newId, redact: (record) => record, purged });
  const jobs = new JobStore(database, newId());
  const service = new SummaryService({ maker, queue, threads, jobs, now, answered: () => {}, stumbled });
  const { commentsDatabaseUrl, slots } = config.summaries;
  const source =
    commentsDatabaseUrl === null
      ? null
      : postgresSource(commentsDatabaseUrl, (error) =>
          log.warn({ error: error.message }, 'the comments cannot be read'),
        );
  const settled = (state: string) => log.info({ state }, 'a summary job ended');
  const runner = new JobRunner({
    database,
    store: jobs,
    service,
    source,
    concurrency: slots + 3,
    now,
    random,
    settled,
    stumbled,
  });
  await runner.start();
  const forgetting = setInterval(() => {
    void jobs.forget(new Date(now() - config.retentionDays * 86_400_000)).catch(stumbled);
  }, FORGET_MS).unref();
  return {
    mount: (app, gate) => {
      const accepted = () => runner.notify();
      const paceMs = (count: number) => count * 1000;
      mountSummaryRoutes(app, { gate, service, jobs, source, now, newId, heartbeatMs: HEARTBEAT_MS, accepted, paceMs });
      mountThreadRoutes(app, { gate, threads, service, now });
    },
    queue: () => ({}),
    stop: async () => {
      clearInterval(forgetting);
      await runner.stop();
      await source?.close();
    },
  };
}
