import type { Summary, Thread } from '../../shared/contract/summary.ts';
import type { ServiceParts } from './parts.ts';
import { isFinal, type Standing } from './store/head.ts';
import { asKept } from './store/threads.ts';
import type { Listen, Made } from './types.ts';
import { Ended, STORE_MS, type Wish, within } from './wish.ts';

/** A generation as it was decided on. */
export interface Flight {
  readonly name: string;
  /** The wish that came first. */
  readonly wish: Wish;
  readonly standing: Standing;
  readonly thread: Thread;
  readonly key: string;
}

/** Generations under way: each is stored once, together with the jobs that wait for it. */
export class Flights {
  readonly #parts: ServiceParts;
  readonly #byThread = new Map<string, Set<AbortController>>();
  readonly #jobs = new Map<string, Set<string>>();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Has a job settled by the generation of this name; returns how to take that back. */
  join(name: string, jobId: string | undefined): () => void {
    if (jobId === undefined) return () => {};
    const jobs = this.#jobs.get(name) ?? new Set();
    this.#jobs.set(name, jobs.add(jobId));
    return () => {
      jobs.delete(jobId);
      if (jobs.size === 0 && this.#jobs.get(name) === jobs) this.#jobs.delete(name);
    };
  }

  supersede(threadId: string): void {
    for (const controller of this.#byThread.get(threadId) ?? []) controller.abort(new Ended('superseded'));
  }

  /** @throws Ended where what was made may not be used any more. */
  async run(flight: Flight, signal: AbortSignal, emit: Listen, deadlineAt: () => number): Promise<Summary> {
    const { ask } = flight.wish;
    const queuedMs = Math.max(0, this.#parts.now() - ask.acceptedAt);
    const superseding = new AbortController();
    const leave = this.#enter(flight.thread.id, superseding);
    try {
      const { kept, record } = await this.#look(flight);
      // Another request has had it made after this one looked: whatever begins here begins after that one's end.
      if (kept && isFinal(kept) && kept.key === flight.key && kept.seen === flight.standing.seen)
        return asKept(kept.summary, false);
      if (signal.aborted) throw new Ended('aborted');
      const assignment = { thread: flight.thread, options: ask.options, record };
      const turn = { deadlineAt, queuedMs };
      const stop = AbortSignal.any([signal, superseding.signal]);
      const made = await this.#parts.maker.make(assignment, turn, stop, emit);
      if (superseding.signal.aborted) throw new Ended('superseded');
      const { summary } = made;
      if (summary.engine === 'model') return await this.#keep(flight, summary, made);
      await this.#learn(flight, made);
      return summary;
    } finally {
      leave();
    }
  }

  async #look({ wish, standing }: Flight): ReturnType<ServiceParts['threads']['made']> {
    const nothing = { kept: null, record: null };
    if (standing.generation === null || standing.first) return nothing;
    const { threadId, variant } = wish.arriving;
    return within(this.#parts.threads.made(threadId, variant), STORE_MS).catch((error: Error) => {
      this.#parts.stumbled(error);
      return nothing;
    });
  }

  #enter(threadId: string, controller: AbortController): () => void {
    const running = this.#byThread.get(threadId) ?? new Set();
    this.#byThread.set(threadId, running.add(controller));
    return () => {
      running.delete(controller);
      if (running.size === 0) this.#byThread.delete(threadId);
    };
  }

  async #keep({ name, wish, standing, key }: Flight, summary: Summary, made: Made): Promise<Summary> {
    const { threadId, variant } = wish.arriving;
    const { generation, seen } = standing;
    if (generation === null) return { ...summary, reason: 'not-stored' };
    if (standing.outdated) return summary;
    const now = new Date(this.#parts.now());
    const jobs = [...(this.#jobs.get(name) ?? [])];
    const saving = this.#parts.threads.save(
      { threadId, variant, generation, key, seen, summary, record: made.record },
      jobs.length === 0 ? undefined : (sql) => this.#parts.jobs.done(sql, jobs, summary, now),
    );
    const saved = await within(saving, STORE_MS).catch((error: Error) => {
      this.#parts.stumbled(error);
      return null;
    });
    if (saved === false) throw new Ended('superseded');
    return saved === null ? { ...summary, reason: 'not-stored' } : summary;
  }

  /** What a generation that came to nothing has paid for is kept, so that the next one goes on from there. */
  async #learn({ wish, standing }: Flight, made: Made): Promise<void> {
    const { threadId } = wish.arriving;
    const { generation } = standing;
    if (made.record === null || generation === null || standing.outdated) return;
    const saving = this.#parts.threads.saveRecord(threadId, generation, made.record);
    await within(saving, STORE_MS).catch((error: Error) => this.#parts.stumbled(error));
  }
}
