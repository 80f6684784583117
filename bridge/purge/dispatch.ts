import type { BridgeConfig } from '../config.ts';
import type { Metrics } from '../health/metrics.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { Courier, type CourierEvents } from './courier.ts';
import { Deliveries, type Held, type OpenBatch } from './deliveries.ts';
import { type Backlog, backlogs, forgetOld } from './ledger-view.ts';
import type { Outcome, Target } from './target.ts';
import { cloudflareTarget } from './targets/cloudflare.ts';
import { edgeTarget } from './targets/edge.ts';
import { warmTarget } from './targets/warm.ts';

export interface DispatchParts {
  readonly config: BridgeConfig;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly random: () => number;
}

/** Purges any target may have waiting; past it new ones are refused: at 200 a second that is more than an hour of a dead edge. */
const PENDING_MAX = 1_000_000;
const SAMPLE_MS = 5000;
/**
 * A purge may be accepted by one bridge and be due at another's courier, of whom it cannot be told (no LISTEN through PgBouncer): one
 * look is one statement by primary keys and the end of an index. An embedded store has no other bridge.
 */
const POLL_MS = { postgres: 300, embedded: 5000 };
const FORGET_MS = 3_600_000;

/** The outbox's way out: a courier for each target, and what is known about their queues. */
export class Dispatch {
  readonly targets: readonly string[];
  readonly #parts: DispatchParts;
  readonly #deliveries: Deliveries;
  readonly #couriers: readonly Courier[];
  #backlogs: readonly Backlog[] = [];
  #last = new Map<string, { at: number; error: string | null }>();
  #timers: NodeJS.Timeout[] = [];

  constructor(parts: DispatchParts) {
    this.#parts = parts;
    this.#deliveries = new Deliveries(parts.database, crypto.randomUUID());
    const targets = createTargets(parts);
    this.targets = targets.map((target) => target.name);
    const { database, now, random } = parts;
    const pollMs = POLL_MS[database.kind];
    const options = { backoff: { firstMs: 250, maxMs: 30_000 }, spacingMs: 200, pollMs, random, now };
    this.#couriers = targets.map((target) => new Courier(target, this.#deliveries, this.#events(), options));
  }

  get backlogs(): readonly Backlog[] {
    return this.#backlogs;
  }

  get hasRoom(): boolean {
    return this.#backlogs.every((backlog) => backlog.pending < PENDING_MAX);
  }

  /** When a target was last called, and how that went. */
  lastAttempt(target: string): { at: number; error: string | null } | null {
    return this.#last.get(target) ?? null;
  }

  async start(): Promise<void> {
    for (const name of this.targets) await this.#deliveries.register(name);
    await this.sample();
    for (const courier of this.#couriers) courier.start();
    this.#timers = [
      setInterval(() => void this.sample().catch((error: Error) => this.#stumbled(error)), SAMPLE_MS).unref(),
      setInterval(() => void this.#forget().catch((error: Error) => this.#stumbled(error)), FORGET_MS).unref(),
    ];
  }

  /** Something was queued. */
  notify(): void {
    for (const courier of this.#couriers) if (courier.after === null) courier.notify();
  }

  async stop(graceMs: number): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#couriers.map((courier) => courier.stop(graceMs)));
    await this.#deliveries.release().catch(() => {});
  }

  async sample(): Promise<void> {
    const { database, metrics, now } = this.#parts;
    this.#backlogs = await backlogs(database, this.targets, now());
    for (const { target, pending, oldestSeconds } of this.#backlogs) {
      metrics.pending.set({ target }, pending);
      metrics.oldest.set({ target }, oldestSeconds);
    }
  }

  async #forget(): Promise<void> {
    const { config, database, now, log } = this.#parts;
    const forgotten = await forgetOld(database, this.targets, new Date(now() - config.retentionDays * 86_400_000));
    if (forgotten === 0) return;
    log.info({ forgotten }, 'purges past their retention forgotten');
    // A server vacuums by itself; the embedded store has no process of its own that could.
    if (database.kind === 'embedded') await database.query('VACUUM');
  }

  #events(): CourierEvents {
    return {
      attempted: (target, outcome, open, tookMs) => this.#attempted(target, outcome, open, tookMs),
      stumbled: (_target, error) => this.#stumbled(error),
      held: (target, by, forMs) => this.#heldUp(target, by, forMs),
      advanced: (name) => {
        for (const courier of this.#couriers) if (courier.after === name) courier.notify();
      },
    };
  }

  #stumbled(error: Error): void {
    this.#parts.metrics.storeErrors.inc();
    this.#parts.log.error({ error: error.message }, 'the store could not be used; trying again');
  }

  #heldUp(target: string, { heldBy }: Held, forMs: number): void {
    const record = { target, seconds: Math.round(forMs / 1000), pids: heldBy.map(({ pid }) => pid) };
    const what = 'delivery waits for transactions that wrote to the table purge and do not end';
    this.#parts.log.warn(record, `${what}: end them, or SELECT pg_terminate_backend(pid)`);
  }

  #attempted(target: string, outcome: Outcome, open: OpenBatch, tookMs: number): void {
    const { metrics, log, now } = this.#parts;
    const { purges } = open.batch;
    metrics.attempts.inc({ target, outcome: outcome.kind });
    metrics.attemptSeconds.observe({ target }, tookMs / 1000);
    if (outcome.kind === 'delivered') metrics.delivered.inc({ target }, purges);
    if (outcome.kind === 'refused' && purges === 1) metrics.rejected.inc({ target });
    if (outcome.kind === 'given-up') metrics.rejected.inc({ target }, purges);
    const error = outcome.kind === 'delivered' ? null : outcome.reason;
    this.#last.set(target, { at: now(), error });
    const record = { target, batch: open.id, purges, attempt: open.attempts + 1, ms: tookMs };
    if (error === null) log.info(record, 'delivered');
    else log.warn({ ...record, outcome: outcome.kind, error }, 'not delivered');
  }
}

function createTargets({ config, fetch, now }: DispatchParts): Target[] {
  // Targets differ in what they are called with; a courier only hands on what the target itself planned.
  const targets: unknown[] = [edgeTarget(config.edge, fetch, now)];
  if (config.edge) targets.push(warmTarget(config.edge, fetch, now));
  if (config.cloudflare) {
    const { perMinute, ...zone } = config.cloudflare;
    const rate = { capacity: perMinute * 5, perMinute };
    targets.push(cloudflareTarget({ ...zone, hosts: config.publicHosts, rate }, fetch, now));
  }
  return targets as Target[];
}
