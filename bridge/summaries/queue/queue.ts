import type { Queue, Submitted, Task } from '../parts.ts';
import type { Listen, Priority } from '../types.ts';
import { Ended } from '../wish.ts';
import { Flight } from './flight.ts';
import { admit, order, type QueueLimits, retryAfterMs, smoothed } from './policy.ts';

export interface QueueParts {
  readonly limits: QueueLimits;
  readonly now: () => number;
  /** Something began; it waited so long. For the metrics. */
  readonly began?: (priority: Priority, waitedMs: number) => void;
}

export interface QueueReading {
  readonly waiting: Readonly<Record<Priority, number>>;
  readonly running: number;
  /** Mean of the latest generations. */
  readonly meanMs: number;
}

interface Entry {
  readonly flight: Flight<unknown>;
  readonly task: Task<unknown>;
}

/** What a generation is taken to cost before any was seen. */
const FIRST_GUESS_MS = 10_000;

/**
 * Ollama's own queue has no bound once a model is loaded, no order but arrival, and no way to leave. This one has: see `policy.ts`.
 * It waits for nothing by itself, so it has no timers: deadlines are the waiters', who leave, and the last one out stops the work.
 */
export class GenerationQueue implements Queue {
  readonly #parts: QueueParts;
  readonly #waiting = new Map<string, Entry>();
  readonly #running = new Map<string, Entry>();
  /** Stopped, but not yet over: they still hold their slots. */
  #ending = 0;
  #seq = 0;
  #turn = 0;
  readonly #servedAt = new Map<string, number>();
  #meanMs = FIRST_GUESS_MS;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  get reading(): QueueReading {
    const flights = [...this.#waiting.values()].map(({ flight }) => flight);
    const interactive = flights.filter(({ priority }) => priority === 'interactive').length;
    const waiting = { interactive, background: flights.length - interactive };
    return { waiting, running: this.#running.size + this.#ending, meanMs: Math.round(this.#meanMs) };
  }

  submit<T>(task: Task<T>, listen: Listen): Submitted<T> {
    if (this.#waiters() >= this.#parts.limits.waitersMax) return this.#refuse('full', task.caller);
    const known = this.#waiting.get(task.key) ?? this.#running.get(task.key);
    if (known) return this.#join(task, known as unknown as { flight: Flight<T>; task: Task<T> }, listen);
    const admission = admit(this.#flights(), task, this.#parts.limits);
    if (!admission.ok) return this.#refuse(admission.reason, task.caller);
    this.#seq += 1;
    const entry = { flight: new Flight(task, this.#seq, this.#parts.now()), task };
    this.#waiting.set(task.key, entry as unknown as Entry);
    const submitted = this.#join(task, entry, listen);
    this.#pump();
    return submitted;
  }

  #flights(): Flight<unknown>[] {
    return [...this.#waiting.values()].map(({ flight }) => flight);
  }

  #waiters(): number {
    let count = 0;
    for (const entries of [this.#waiting, this.#running]) {
      for (const { flight } of entries.values()) count += flight.waiters;
    }
    return count;
  }

  #refuse(reason: 'full' | 'caller-full', caller: string): Submitted<never> {
    const own = this.#flights().filter((flight) => flight.caller === caller).length;
    const ahead = reason === 'caller-full' ? Math.max(1, own / 2) : 1 + this.#running.size;
    return { ok: false, reason, retryAfterMs: retryAfterMs(ahead, this.#meanMs, this.#parts.limits.slots) };
  }

  #join<T>(task: Task<T>, { flight }: { flight: Flight<T> }, listen: Listen): Submitted<T> {
    const part = flight.join(listen, task);
    const leave = () => {
      part();
      if (flight.waiters === 0 && flight.state !== 'ended') this.#stop(task.key, flight);
    };
    return { ok: true, result: flight.result, leave };
  }

  /** Nobody waits for it any more. Who asks again begins anew: what was aborted cannot be joined. */
  #stop(key: string, flight: object): void {
    for (const entries of [this.#waiting, this.#running]) {
      const entry = entries.get(key);
      if (entry?.flight !== flight) continue;
      entries.delete(key);
      if (entries === this.#running) this.#ending += 1;
      entry.flight.abandon(new Ended('aborted'));
    }
    this.#tellPlaces();
  }

  #pump(): void {
    const { limits, now } = this.#parts;
    while (this.#running.size + this.#ending < limits.slots) {
      const [next] = order(this.#flights(), this.#servedAt, now(), limits.ageMs);
      const found = [...this.#waiting].find(([, { flight }]) => flight === next);
      if (!found) break;
      void this.#serve(...found);
    }
    this.#tellPlaces();
  }

  async #serve(key: string, entry: Entry): Promise<void> {
    const { flight, task } = entry;
    const startedAt = this.#parts.now();
    this.#waiting.delete(key);
    this.#running.set(key, entry);
    this.#takeTurn(flight.caller);
    this.#parts.began?.(flight.priority, startedAt - flight.since);
    await flight.run(task);
    if (this.#running.get(key) === entry) {
      this.#running.delete(key);
      this.#meanMs = smoothed(this.#meanMs, this.#parts.now() - startedAt);
    } else this.#ending -= 1;
    this.#pump();
  }

  /** Only callers with something in the queue can be behind: the others' turns are forgotten. */
  #takeTurn(caller: string): void {
    this.#turn += 1;
    this.#servedAt.set(caller, this.#turn);
    if (this.#servedAt.size <= 2 * this.#parts.limits.max) return;
    const present = new Set(this.#flights().map((flight) => flight.caller));
    for (const name of this.#servedAt.keys()) if (!present.has(name) && name !== caller) this.#servedAt.delete(name);
  }

  #tellPlaces(): void {
    const { limits, now } = this.#parts;
    const places = order(this.#flights(), this.#servedAt, now(), limits.ageMs);
    for (const [index, flight] of places.entries()) flight.standsAt(index + 1);
  }
}
