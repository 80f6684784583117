import type { Summary, Thread } from '../../shared/contract/summary.ts';
import type { ServiceParts, Waiters } from './parts.ts';
import { isFinal, type Standing } from './store/head.ts';
import { asKept } from './store/threads.ts';
import type { Listen, Made } from './types.ts';
import { Ended, STORE_MS, type Wish, within } from './wish.ts';

const NOTHING = { generation: null, kept: null, record: null };

/** A generation as it was decided on. */
export interface Flight {
  /** The wish that came first. */
  readonly wish: Wish;
  readonly standing: Standing;
  readonly thread: Thread;
  readonly key: string;
}

/** A flight that waits or is under way, and all who share it. */
interface Open {
  readonly name: string;
  /** As it is known best: one who joins may know of the store what the first did not. */
  flight: Flight;
  /** Durable jobs among those who wait for it. */
  readonly jobs: Set<string>;
  readonly superseding: AbortController;
  readonly superseded: Promise<Ended>;
  waiters: number;
  /** It has not waited: nothing can have happened since its thread was met. */
  isNew: boolean;
}

export interface Joined {
  /** The same for all who wait for the same. */
  readonly name: string;
  /** Resolves once a comment was edited or removed: nobody need wait any longer, whether or not it has begun. */
  readonly superseded: Promise<Ended>;
  /** @throws Ended where what was made may not be used any more. */
  run(signal: AbortSignal, emit: Listen, waiters: Waiters): Promise<Summary>;
  leave(): void;
}

/** Generations that wait or are under way: each is stored once, together with the jobs that wait for it. */
export class Flights {
  readonly #parts: ServiceParts;
  readonly #open = new Set<Open>();
  /** Records of threads that are being written. */
  readonly #learning = new Map<string, Promise<unknown>>();
  #count = 0;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Waits with whoever waits for the same; a job that waits is settled by it. */
  join(flight: Flight): Joined {
    const { jobId } = flight.wish.ask;
    const open = this.#find(flight) ?? this.#begin(flight);
    // The same key is the same comments: what is made of them may be kept under the generation that they belong to.
    if (open.flight.standing.generation === null) open.flight = { ...open.flight, standing: flight.standing };
    open.waiters += 1;
    if (jobId !== undefined) open.jobs.add(jobId);
    return {
      name: open.name,
      superseded: open.superseded,
      run: (signal, emit, waiters) => this.#run(open, signal, emit, waiters),
      leave: () => {
        open.waiters -= 1;
        if (jobId !== undefined) open.jobs.delete(jobId);
        if (open.waiters === 0) this.#open.delete(open);
      },
    };
  }

  /**
   * What waits or is under way of this thread comes to nothing; who asks from now on begins anew.
   * @param generation the thread's new one: what was begun since goes on. Absent: everything ends.
   * @param after the removal, where it is still under way: who waited looks at the store once it is over.
   */
  supersede(
    threadId: string,
    { generation, after }: { generation?: number | null; after?: Promise<unknown> } = {},
  ): void {
    for (const open of this.#open) {
      const { thread, standing } = open.flight;
      if (thread.id !== threadId || (standing.generation ?? -1) >= (generation ?? Number.POSITIVE_INFINITY)) continue;
      this.#open.delete(open);
      open.superseding.abort(new Ended('superseded', after));
    }
  }

  /** Where the store did not say which generation one is of, it goes with what says the same of the thread: no removal has come between. */
  #find({ key, standing: { generation } }: Flight): Open | undefined {
    return [...this.#open].find(({ flight }) => {
      const known = flight.standing.generation;
      return flight.key === key && (known === generation || known === null || generation === null);
    });
  }

  #begin(flight: Flight): Open {
    this.#count += 1;
    const name = `${this.#count}:${flight.key}`;
    const superseding = new AbortController();
    const superseded = new Promise<Ended>((resolve) => {
      superseding.signal.addEventListener('abort', () => resolve(superseding.signal.reason as Ended), { once: true });
    });
    const open: Open = { name, flight, jobs: new Set(), superseding, superseded, waiters: 0, isNew: true };
    this.#open.add(open);
    queueMicrotask(() => {
      open.isNew = false;
    });
    return open;
  }

  async #run(open: Open, signal: AbortSignal, emit: Listen, waiters: Waiters): Promise<Summary> {
    const { flight } = open;
    const { ask } = flight.wish;
    const superseded = open.superseding.signal;
    const queuedMs = Math.max(0, this.#parts.now() - ask.acceptedAt);
    const { generation, kept, record } = open.isNew && flight.standing.first ? NOTHING : await this.#look(flight);
    // It may have waited for long: a comment of it may have been removed here, or by another bridge.
    const moved = generation !== null && generation !== flight.standing.generation;
    superseded.throwIfAborted();
    if (moved) throw new Ended('superseded');
    // Another request has had it made after this one looked: whatever begins here begins after that one's end.
    if (kept && isFinal(kept) && kept.key === flight.key && kept.seen === flight.standing.seen)
      return asKept(kept.summary, false);
    if (signal.aborted) throw new Ended('aborted');
    const assignment = { thread: flight.thread, options: ask.options, record };
    const stop = AbortSignal.any([signal, superseded]);
    const heard: Listen = (event, data) => superseded.aborted || emit(event, data);
    const made = await this.#parts.maker.make(assignment, { ...waiters, queuedMs }, stop, heard);
    superseded.throwIfAborted();
    const { summary } = made;
    if (summary.engine === 'model') return this.#keep(open, summary, made);
    await this.#learn(open.flight, made);
    return summary;
  }

  async #look({ wish, standing }: Flight): ReturnType<ServiceParts['threads']['made']> {
    if (standing.generation === null) return NOTHING;
    const { threadId, variant } = wish.arriving;
    await this.#learning.get(threadId);
    return within(this.#parts.threads.made(threadId, variant), STORE_MS).catch((error: Error) => {
      this.#parts.stumbled(error);
      return NOTHING;
    });
  }

  async #keep({ flight, jobs: waiting }: Open, summary: Summary, made: Made): Promise<Summary> {
    const { wish, standing, key } = flight;
    const { threadId, variant } = wish.arriving;
    const { generation, seen } = standing;
    if (generation === null) return { ...summary, reason: 'not-stored' };
    if (standing.outdated) return summary;
    const now = new Date(this.#parts.now());
    const jobs = [...waiting];
    // Nobody who waits for the answer alone needs the record: it may follow.
    const isAlone = jobs.length === 0;
    const record = isAlone ? null : made.record;
    const saving = this.#parts.threads.save(
      { threadId, variant, generation, key, seen, summary, record },
      isAlone ? undefined : (sql) => this.#parts.jobs.done(sql, jobs, summary, now),
    );
    const saved = await within(saving, STORE_MS).catch((error: Error) => {
      this.#parts.stumbled(error);
      return null;
    });
    if (saved === 'moved-on') throw new Ended('superseded');
    if (saved === 'kept' && isAlone) void this.#learn(flight, made);
    return saved === null ? { ...summary, reason: 'not-stored' } : summary;
  }

  /** What a generation has paid for is kept, also where it came to nothing, so that the next one goes on from there. */
  async #learn({ wish, standing }: Flight, made: Made): Promise<void> {
    const { threadId } = wish.arriving;
    const { generation } = standing;
    if (made.record === null || generation === null || standing.outdated) return;
    const saving = within(this.#parts.threads.saveRecord(threadId, generation, made.record), STORE_MS)
      .catch((error: Error) => this.#parts.stumbled(error))
      .finally(() => this.#learning.get(threadId) === saving && this.#learning.delete(threadId));
    this.#learning.set(threadId, saving);
    await saving;
  }
}
