import type { Gate } from '../../shared/access/gate.ts';
import type { BridgeConfig } from '../config.ts';
import type { Metrics } from '../health/metrics.ts';
import type { App } from '../http/route.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { extract } from './extractive/extract.ts';
import { JobRunner } from './jobs.ts';
import { modelless } from './maker.ts';
import { connectModel } from './model.ts';
import { redact } from './policy/record.ts';
import type { QueueLimits } from './queue/policy.ts';
import { GenerationQueue } from './queue/queue.ts';
import { mountSummaryRoutes } from './routes.ts';
import { SummaryService } from './service.ts';
import { postgresSource } from './source.ts';
import { JobStore } from './store/jobs.ts';
import { Threads } from './store/threads.ts';
import { createSummaryMetrics, type SummaryMetrics } from './telemetry/metrics.ts';
import { mountThreadRoutes } from './thread-routes.ts';

export interface SummaryParts {
  readonly config: BridgeConfig;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly log: Logger;
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

/** One caller may fill three quarters of the queue; many may wait for one generation. */
const limitsOf = (slots: number, max: number): QueueLimits => ({
  slots,
  max,
  perCaller: Math.max(1, Math.floor(max * 0.75)),
  waitersMax: 5000,
  ageMs: 30_000,
});

/** Opens what summaries need and starts working on the jobs that wait. */
export async function startSummaries(parts: SummaryParts): Promise<Summaries> {
  const { config, metrics, log, now, random, newId } = parts;
  const stumbled = (error: Error) => {
    metrics.storeErrors.inc();
    log.warn({ error: error.message }, 'a summary had to do without the store');
  };
  const { slots, commentsDatabaseUrl } = config.summaries;
  const { service, threads, jobs, queue } = createService(parts, stumbled);
  const source = commentsDatabaseUrl === null ? null : postgresSource(commentsDatabaseUrl, unread(log));
  const settled = (state: string) => log.info({ state }, 'a summary job ended');
  const concurrency = slots + 3;
  const runner = new JobRunner({ store: jobs, service, source, concurrency, now, random, settled, stumbled });
  await runner.start();
  const forgetting = setInterval(() => {
    void jobs.forget(new Date(now() - config.retentionDays * 86_400_000)).catch(stumbled);
  }, FORGET_MS).unref();
  return {
    mount: (app, gate) => {
      const accepted = () => runner.notify();
      const paceMs = (count: number) => (count * queue.reading.meanMs) / slots;
      mountSummaryRoutes(app, { gate, service, jobs, source, now, newId, heartbeatMs: HEARTBEAT_MS, accepted, paceMs });
      mountThreadRoutes(app, { gate, threads, service, now });
    },
    queue: () => ({ ...queue.reading }),
    stop: async () => {
      clearInterval(forgetting);
      await runner.stop();
      await source?.close();
    },
  };
}

const unread = (log: Logger) => (error: Error) => log.warn({ error: error.message }, 'the comments cannot be read');

function createService(parts: SummaryParts, stumbled: (error: Error) => void) {
  const { config, database, metrics, now, newId, purged } = parts;
  const { slots, queueMax } = config.summaries;
  const began: SummaryMetrics['began'] = (...wait) => counts.began(...wait);
  const queue = new GenerationQueue({ limits: limitsOf(slots, queueMax), now, began });
  const counts = createSummaryMetrics(metrics.registry, () => queue.reading);
  const maker = config.ollamaHost === null ? modelless(extract, now) : connectModel(parts, counts);
  const threads = new Threads(database, { now, newId, redact, purged });
  const jobs = new JobStore(database, newId());
  const { answered, refused } = counts;
  const service = new SummaryService({ maker, queue, threads, jobs, now, answered, refused, stumbled });
  return { service, threads, jobs, queue };
}
