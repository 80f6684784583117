import { setTimeout as sleep } from 'node:timers/promises';
import { DEADLINE_MS, type Summary, SummaryRequest, type Thread } from '../../shared/contract/summary.ts';
import { backoff } from '../policy/backoff.ts';
import type { SummaryService } from './service.ts';
import type { CommentSource } from './source.ts';
import { type ClaimedJob, type JobStore, RENEW_MS } from './store/jobs.ts';
import type { Listen } from './types.ts';
import type { Ask } from './wish.ts';

export interface JobRunnerParts {
  readonly store: JobStore;
  readonly service: Pick<SummaryService, 'begin' | 'nextBest'>;
  readonly source: CommentSource | null;
  /** Jobs worked on at a time; the generations among them still wait their turn. */
  readonly concurrency: number;
  readonly now: () => number;
  readonly random: () => number;
  readonly settled: (state: 'done' | 'failed') => void;
  readonly stumbled: (error: Error) => void;
}

/** Attempts that reached the model, broken-off ones included: past them a job ends with what there is without it. */
const ATTEMPTS_MAX = 5;
/** Claims in a row that did not come so far. Past them the same; past twice as many the job itself is what ends the process. */
const CLAIMS_MAX = 20;
const RETRY = { firstMs: 1000, maxMs: 30_000 };
const POLL_MS = 2000;
const PROGRESS_MS = 1000;
const NO_COMMENTS = 'Every comment of the thread was removed.';
/** Longest the end waits for work that was broken off. */
const STOP_MS = 2000;

/** Reasons that may pass: a job has time, so it waits for the model rather than settle for less. */
const PASSING = new Set([
  ...['busy', 'crashed', 'incomplete', 'unreachable', 'first-token-timeout', 'stalled', 'repetition', 'length'],
  ...['breaker-open', 'on-cpu', 'model-failed', 'partial', 'superseded', 'deadline', 'aborted'],
]);

/** Works on durable jobs, a few at a time, until it is stopped; what it has not ended then is given back. */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, AbortController>();
  readonly #works = new Set<Promise<void>>();
  #wake = () => {};
  #woken = false;
  #loop: Promise<void> | null = null;
  #renewal: NodeJS.Timeout | null = null;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    await this.#parts.store.start();
    this.#renewal = setInterval(() => void this.#renew(), RENEW_MS).unref();
    this.#loop = this.#run();
  }

  /** A job was accepted, or one ended. */
  notify(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Breaks off what is under way and gives it back, so that the next start, or another bridge, goes on with it at once. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    if (this.#renewal) clearInterval(this.#renewal);
    const ids = [...this.#running.keys()];
    for (const controller of this.#running.values()) controller.abort();
    await this.#loop;
    await Promise.race([Promise.all(this.#works), sleep(STOP_MS, undefined, { ref: false })]);
    await this.#parts.store.release(ids).catch((error: Error) => this.#parts.stumbled(error));
  }

  async #run(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        this.#woken = false;
        const job = this.#running.size < this.#parts.concurrency ? await this.#parts.store.claim() : null;
        failures = 0;
        if (job) this.#begin(job);
        else await this.#pause(POLL_MS);
      } catch (error) {
        this.#parts.stumbled(error as Error);
        await this.#pause(backoff(++failures, this.#parts.random(), RETRY));
      }
    }
  }

  #begin(job: ClaimedJob): void {
    const work = this.#work(job);
    this.#works.add(work);
    void work.finally(() => this.#works.delete(work));
  }

  async #work(job: ClaimedJob): Promise<void> {
    const controller = new AbortController();
    this.#running.set(job.id, controller);
    try {
      if (this.#stopping.signal.aborted) await this.#parts.store.release([job.id]);
      else await this.#attempt(job, controller.signal);
    } catch (error) {
      // The store is away: the lease runs out, and the job is found again.
      this.#parts.stumbled(error as Error);
    } finally {
      this.#running.delete(job.id);
      this.notify();
    }
  }

  async #attempt(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const { service, store, now } = this.#parts;
    if (job.claims > 2 * CLAIMS_MAX)
      return this.#fail(job, 'gave-up', `The job was broken off ${job.claims - 1} times.`);
    const parsed = SummaryRequest.safeParse(job.body);
    if (!parsed.success) return this.#fail(job, 'invalid', 'The job was accepted by a version with other rules.');
    const { options } = parsed.data;
    const read = await this.#thread(parsed.data);
    if (!read.ok) return this.#unread(job, read);
    const ask = {
      thread: read.thread,
      options,
      caller: job.caller,
      // Read just now, or as old as the job.
      acceptedAt: parsed.data.thread ? job.acceptedAt.getTime() : now(),
      deadlineAt: now() + deadlineOf(options),
      jobId: job.id,
    };
    if (isSpent(job)) return this.#giveUp(job, ask);
    const began = await service.begin(ask, { signal, listen: this.#progress(job.id) });
    if (began.kind === 'refused' && began.reason !== 'no-comments')
      return void (await store.postpone(job.id, Math.max(began.retryAfterMs, RETRY.firstMs), false));
    if (began.kind === 'refused') return this.#fail(job, 'no-comments', NO_COMMENTS);
    const summary = began.kind === 'ready' ? began.summary : await began.result;
    if (summary === null) return;
    const { random } = this.#parts;
    const waitMs = backoff(triesOf(job), random(), RETRY);
    const passing = summary.reason !== undefined && PASSING.has(summary.reason);
    const more = job.attempts + 1 < ATTEMPTS_MAX && job.claims < CLAIMS_MAX;
    if (passing && more && now() + waitMs < job.acceptedAt.getTime() + deadlineOf(options))
      return void (await store.postpone(job.id, waitMs, true));
    await this.#settle(job, summary, began.generation);
  }

  /** Ends a job that the model was tried for often enough: with the last good summary, or the thread's own sentences. */
  async #giveUp(job: ClaimedJob, ask: Ask): Promise<void> {
    const best = await this.#parts.service.nextBest(ask, 'gave-up');
    if (best === null) return this.#fail(job, 'no-comments', NO_COMMENTS);
    await this.#settle(job, best.summary, best.generation);
  }

  /** Ends the job, unless a comment was edited or removed meanwhile, or it cannot be known: then it is made anew. */
  async #settle(job: ClaimedJob, summary: Summary, generation: number | null): Promise<void> {
    const { store, now, random } = this.#parts;
    const settled = generation !== null && (await store.settle(job.id, summary, generation, new Date(now())));
    // What a generation made ended its jobs when it was stored.
    if (settled || !(await store.postpone(job.id, backoff(triesOf(job), random(), RETRY), generation === null)))
      this.#parts.settled('done');
  }

  async #fail(job: ClaimedJob, code: string, message: string): Promise<void> {
    await this.#parts.store.fail(job.id, { code, message }, new Date(this.#parts.now()));
    this.#parts.settled('failed');
  }

  async #thread({ thread, threadId }: SummaryRequest): Promise<ThreadRead> {
    if (thread) return { ok: true, thread };
    const { source } = this.#parts;
    if (!source || !threadId)
      return { ok: false, reason: 'no-comment-source', message: 'There is no comment source any more.' };
    return source.thread(threadId);
  }

  async #unread(job: ClaimedJob, { reason, message }: { reason: string; message: string }): Promise<void> {
    if (reason !== 'unreachable' || triesOf(job) >= ATTEMPTS_MAX) return this.#fail(job, reason, message);
    await this.#parts.store.postpone(job.id, backoff(triesOf(job), this.#parts.random(), RETRY), true);
  }

  /** Written down once a second at most, once the model is asked. */
  #progress(id: string): Listen {
    let writtenAt = Number.NEGATIVE_INFINITY;
    return (event, data) => {
      const at = this.#parts.now();
      if (event !== 'progress' || !('phase' in data) || data.phase === 'queued' || at - writtenAt < PROGRESS_MS) return;
      writtenAt = at;
      void this.#parts.store.progress(id, data).catch((error: Error) => this.#parts.stumbled(error));
    };
  }

  /** Work on a job whose lease was lost is broken off: another bridge has it. */
  async #renew(): Promise<void> {
    const ids = [...this.#running.keys()];
    if (ids.length === 0) return;
    try {
      const held = await this.#parts.store.renew(ids);
      for (const id of ids) if (!held.has(id)) this.#running.get(id)?.abort();
    } catch (error) {
      this.#parts.stumbled(error as Error);
    }
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopping.signal.aborted || this.#woken) return;
    const over = new AbortController();
    this.#wake = () => over.abort();
    await sleep(ms, undefined, { signal: over.signal }).catch(() => {});
    this.#wake = () => {};
  }
}

type ThreadRead =
  | { readonly ok: true; readonly thread: Thread }
  | { readonly ok: false; readonly reason: string; readonly message: string };

const deadlineOf = (options: SummaryRequest['options']) => options.deadlineMs ?? DEADLINE_MS[options.priority];
const isSpent = ({ attempts, claims }: ClaimedJob): boolean => attempts >= ATTEMPTS_MAX || claims > CLAIMS_MAX;
/** This one included. */
const triesOf = ({ attempts, claims }: ClaimedJob): number => attempts + claims;
