import { setTimeout as sleep } from 'node:timers/promises';
import { type BackoffPolicy, backoff } from '../policy/backoff.ts';
import type { Deliveries, Held, OpenBatch } from './deliveries.ts';
import type { Outcome, Target } from './target.ts';

export interface CourierEvents {
  attempted(target: string, outcome: Outcome, open: OpenBatch, tookMs: number): void;
  /** The store could not be used. */
  stumbled(target: string, error: Error): void;
  /** Purges have waited this long for transactions that do not end. */
  held(target: string, by: Held, forMs: number): void;
  /** The target has everything up to this batch: those that follow it may go on. */
  advanced(target: string): void;
}

export interface CourierOptions {
  readonly backoff: BackoffPolicy;
  /** Least time between the starts of two calls: a burst gathers meanwhile and goes out as one. */
  readonly spacingMs: number;
  /** How often to look, on average, without having been told: another bridge may have written, or may have let go of the lease. */
  readonly pollMs: number;
  readonly random: () => number;
  readonly now: () => number;
}

const HELD_RETRY: BackoffPolicy = { firstMs: 50, maxMs: 1000 };
/** Longer than any transaction of ours is let live; said again as often. */
const HELD_SAY_MS = 10_000;

/** Takes one target's queue to it, in order, one call at a time, for as long as it takes. */
export class Courier {
  readonly #target: Target;
  readonly #deliveries: Deliveries;
  readonly #events: CourierEvents;
  readonly #options: CourierOptions;
  readonly #stopping = new AbortController();
  #wake = () => {};
  #woken = false;
  #lastStart = 0;
  #stumbles = 0;
  #held: { readonly since: number; readonly saidAt: number; readonly times: number } | null = null;
  #running: Promise<void> | null = null;

  constructor(target: Target, deliveries: Deliveries, events: CourierEvents, options: CourierOptions) {
    this.#target = target;
    this.#deliveries = deliveries;
    this.#events = events;
    this.#options = options;
  }

  get name(): string {
    return this.#target.name;
  }

  get after(): string | null {
    return this.#target.after;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something was queued. */
  notify(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Ends after the attempt under way, which is broken off after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await Promise.race([this.#running, sleep(graceMs, undefined, { ref: false })]);
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const waitMs = await this.#step();
        this.#stumbles = 0;
        if (waitMs > 0) await this.#pause(waitMs);
      } catch (error) {
        this.#events.stumbled(this.#target.name, error as Error);
        await this.#pause(backoff(++this.#stumbles, this.#options.random(), this.#options.backoff), false);
      }
    }
  }

  /** One look at the queue and at most one attempt; returns how long to rest. */
  async #step(): Promise<number> {
    const { now, random, spacingMs } = this.#options;
    const pollMs = this.#options.pollMs * (0.75 + random() / 2);
    const rest = this.#lastStart + spacingMs - now();
    if (rest > 0) await this.#pause(rest, false);
    this.#woken = false;
    if (!(await this.#deliveries.lease(this.#target.name, now()))) return pollMs;
    const open = await this.#deliveries.next(this.#target, new Date(now()));
    if (open && 'heldBy' in open) {
      await this.#pause(this.#hold(open), false);
      return 0;
    }
    this.#held = null;
    if (!open) return pollMs;
    const early = (open.nextAttemptAt?.getTime() ?? 0) - now();
    if (early > 0) {
      await this.#pause(early, false);
      return 0;
    }
    if (this.#stopping.signal.aborted) return 0;
    this.#lastStart = now();
    const outcome = await this.#target.deliver(open.id, open.batch.call, AbortSignal.timeout(this.#target.attemptMs));
    this.#events.attempted(this.#target.name, outcome, open, now() - this.#lastStart);
    await this.#record(open, outcome);
    return 0;
  }

  /** Returns how long to leave the writers alone. */
  #hold(by: Held): number {
    const at = this.#options.now();
    const { since, saidAt, times } = this.#held ?? { since: at, saidAt: at, times: 0 };
    const due = at - saidAt >= HELD_SAY_MS;
    if (due) this.#events.held(this.#target.name, by, at - since);
    this.#held = { since, saidAt: due ? at : saidAt, times: times + 1 };
    return backoff(times + 1, this.#options.random(), HELD_RETRY);
  }

  async #record(open: OpenBatch, outcome: Outcome): Promise<void> {
    const { now, random } = this.#options;
    const at = new Date(now());
    if (outcome.kind === 'delivered') {
      await this.#deliveries.settle(open.id, 'delivered', at, { error: null, outcome: outcome.detail });
      this.#events.advanced(this.#target.name);
    } else if (outcome.kind === 'retry') {
      const waitMs = backoff(open.attempts + 1, random(), this.#options.backoff, outcome.afterMs ?? 0);
      await this.#deliveries.postpone(open.id, at, new Date(now() + waitMs), outcome.reason);
    } else if (outcome.kind === 'refused' && open.batch.purges > 1) {
      await this.#deliveries.part(open, this.#target, at);
    } else {
      await this.#deliveries.settle(open.id, 'rejected', at, { error: outcome.reason, outcome: null });
      this.#events.advanced(this.#target.name);
    }
  }

  /** Rests until the time is over, something was queued (where that matters) or the end. */
  async #pause(ms: number, wakeable = true): Promise<void> {
    if (this.#stopping.signal.aborted || (wakeable && this.#woken)) return;
    const over = new AbortController();
    this.#wake = () => {
      if (wakeable || this.#stopping.signal.aborted) over.abort();
    };
    await sleep(ms, undefined, { signal: over.signal }).catch(() => {});
    this.#wake = () => {};
  }
}
