import type { Summary, SummaryOptions, Thread } from '../../shared/contract/summary.ts';
import { threadDigest } from './digest.ts';
import { Fallback } from './fallback.ts';
import { Flights } from './flights.ts';
import type { ModelState, ServiceParts, Task, Waiter } from './parts.ts';
import type { Known } from './store/arrival.ts';
import { isFinal, type Kept, type Standing } from './store/head.ts';
import { usable } from './store/held.ts';
import { asKept } from './store/threads.ts';
import { type Ask, Ended, STORE_MS, type Wish, wishOf, within } from './wish.ts';

/** `generation`: of the thread as it was found; the summary may be kept as long as it still holds. Null where the store did not say. */
export type Began =
  | { readonly kind: 'ready'; readonly summary: Summary; readonly generation: number | null }
  /** Resolves by the deadline, whatever happens; null once the caller has left. */
  | { readonly kind: 'running'; readonly result: Promise<Summary | null>; readonly generation: number | null }
  | {
      readonly kind: 'refused';
      readonly reason: 'full' | 'caller-full' | 'no-comments';
      readonly retryAfterMs: number;
    };

/** Longest an answer waits to hear which model there is; what is known is mostly known already. */
const MODEL_MS = 2000;
/** Comments of a thread whose extractive summary takes too long to be worked out at the deadline. */
const LARGE = 100;

/** Summaries on demand: from the store where nothing has changed, else generated once for all who ask, else the honest next best. */
export class SummaryService {
  readonly #parts: ServiceParts;
  readonly #fallback: Fallback;
  readonly #flights: Flights;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
    this.#fallback = new Fallback(parts);
    this.#flights = new Flights(parts);
  }

  /** Comments of the thread were edited or removed, or all of it: what waits to be made of them, or is being made, is broken off. */
  supersede(threadId: string, after?: Promise<unknown>): void {
    this.#flights.supersede(threadId, after ? { after } : {});
  }

  async begin(ask: Ask, waiter: Waiter): Promise<Began> {
    const wish = wishOf(ask);
    // The store is asked first: while it looks, there is time to think ahead.
    const isNew = !this.#parts.threads.hasMet(ask.thread.id);
    const standing = this.#standing(wish);
    const model = this.#model(ask).then((state) => this.#foreseen(ask, state, isNew));
    return this.#generate(wish, ...(await Promise.all([standing, model])), waiter);
  }

  /** Begins with the work; what is asked for again the store most likely has. */
  #foreseen({ thread, options }: Ask, state: ModelState, isNew: boolean): ModelState {
    try {
      if (state.kind === 'model') this.#parts.maker.foresee(thread, options, state.model, isNew);
    } catch {
      // It fails again where it is made, and is answered for there.
    }
    return state;
  }

  /**
   * What there is without the model: the last good summary, or the thread's own sentences, labelled with `reason`. Null where no comment
   * of the thread may be used.
   * @throws where the store does not answer in good time.
   */
  async nextBest(ask: Ask, reason: string): Promise<{ summary: Summary; generation: number } | null> {
    const wish = wishOf(ask);
    const { comments, kept, seen, generation } = await this.#standing(wish);
    if (generation === null) throw new Error('the store does not say how the thread stands');
    if (comments.length === 0) return null;
    const isWhole = kept !== null && kept.seen === seen && isFinal(kept);
    const summary = isWhole ? asKept(kept.summary, false) : await this.#fallback.answer(wish, reason);
    return { summary: this.#finished(ask, summary), generation };
  }

  /** Takes note of the thread as it is sent; what waits of it, or is being made, ends where one of its comments is gone. */
  async #standing(wish: Wish): Promise<Standing> {
    const { threads } = this.#parts;
    const { ask, arriving } = wish;
    const met = await this.#stored(ask, () => threads.meet(arriving));
    if (met === null) return aside(wish);
    const known = 'comments' in met.value ? met.value : this.#unchanged(wish, met.value);
    const standing = known ?? (await this.#stored(ask, () => threads.arrive(arriving)))?.value ?? aside(wish);
    // Who asked with the same change at the same time has begun anew already.
    if (standing.changed.length > 0) this.#flights.supersede(arriving.threadId, standing);
    return standing;
  }

  /** How the thread stands where nothing has happened since it was last asked for; null where something is to be taken note of. */
  #unchanged({ arriving }: Wish, { held, visibility, seen: newest, generation, kept }: Known): Standing | null {
    if (arriving.visibility === 'private' && visibility === 'public') return null;
    const { comments, seen } = usable(arriving, held);
    return seen === newest ? { comments, seen, generation, kept, outdated: false, changed: [] } : null;
  }

  async #generate(wish: Wish, standing: Standing, model: ModelState, waiter: Waiter): Promise<Began> {
    const { ask } = wish;
    if (standing.comments.length === 0) return { kind: 'refused', reason: 'no-comments', retryAfterMs: 0 };
    const isWhole = standing.comments === ask.thread.comments;
    const thread = isWhole ? ask.thread : { ...ask.thread, comments: [...standing.comments] };
    const { generation } = standing;
    if (this.#isGood(standing.kept, standing.seen, thread, ask.options, model))
      return { kind: 'ready', summary: this.#finished(ask, asKept(standing.kept.summary, false)), generation };
    if (model.kind !== 'model') {
      const reason = model.kind === 'none' ? 'no-model' : model.reason;
      const summary = this.#finished(ask, await this.#fallback.answer(wish, reason));
      return { kind: 'ready', summary, generation };
    }
    const key = this.#parts.maker.key(thread, ask.options, model.model);
    const joined = this.#flights.join({ wish, standing, thread, key });
    const task: Task<Summary> = {
      key: joined.name,
      caller: ask.caller,
      priority: ask.options.priority,
      deadlineAt: ask.deadlineAt,
      run: joined.run,
    };
    const submitted = this.#parts.queue.submit(task, waiter.listen);
    if (!submitted.ok) {
      joined.leave();
      this.#parts.refused(submitted.reason);
      return { kind: 'refused', reason: submitted.reason, retryAfterMs: submitted.retryAfterMs };
    }
    const waiting = { result: Promise.race([submitted.result, joined.superseded]), leave: submitted.leave };
    return { kind: 'running', result: this.#await(wish, waiting, waiter).finally(joined.leave), generation };
  }

  /** The generation's summary, or the next best thing at the deadline; null once the caller has left. */
  async #await(
    wish: Wish,
    { result, leave }: { result: Promise<Summary | Ended>; leave(): void },
    { signal }: Waiter,
  ): Promise<Summary | null> {
    const { ask } = wish;
    const late = this.#deadline(wish);
    const gone = new Promise<null>((resolve) => {
      if (signal.aborted) resolve(null);
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const outcome = await Promise.race([result.catch(asEnded), late.passed, gone]);
    late.clear();
    if (outcome !== null && 'engine' in outcome && outcome.engine === 'model') return this.#finished(ask, outcome);
    leave();
    if (outcome === null) return null;
    if ('engine' in outcome)
      return this.#finished(ask, await this.#fallback.answer(wish, outcome.reason ?? 'failed', outcome));
    if (outcome.after !== null) await within(outcome.after, STORE_MS).catch(() => {});
    return this.#finished(ask, await this.#fallback.answer(wish, outcome.reason));
  }

  #deadline(wish: Wish): { readonly passed: Promise<Ended>; clear(): void } {
    const leftMs = Math.max(0, wish.ask.deadlineAt - this.#parts.now());
    const comments = wish.arriving.comments.length;
    const aheadMs = Math.min(leftMs / 2, comments > LARGE ? 2000 : 0);
    const ahead = comments > LARGE ? setTimeout(() => this.#fallback.prepare(wish), leftMs - aheadMs) : undefined;
    let timer: NodeJS.Timeout | undefined;
    const passed = new Promise<Ended>((resolve) => {
      timer = setTimeout(() => resolve(new Ended('deadline')), leftMs);
    });
    const clear = () => {
      clearTimeout(ahead);
      clearTimeout(timer);
    };
    return { passed, clear };
  }

  #isGood(kept: Kept | null, seen: string, thread: Thread, options: SummaryOptions, model: ModelState): kept is Kept {
    if (kept === null || kept.seen !== seen) return false;
    // What a model made stays good while that model cannot be asked which one it is.
    if (model.kind !== 'model') return isFinal(kept) || model.kind === 'none';
    return isFinal(kept) && kept.key === this.#parts.maker.key(thread, options, model.model);
  }

  #finished(ask: Ask, summary: Summary): Summary {
    const totalMs = Math.max(0, this.#parts.now() - ask.acceptedAt);
    const finished = { ...summary, timings: { ...summary.timings, totalMs } };
    this.#parts.answered(finished);
    return finished;
  }

  /** Which model there is; none where it does not say in good time: an answer does not wait for it. */
  #model(ask: Ask): Promise<ModelState> {
    const ms = Math.min(MODEL_MS, Math.max(50, (ask.deadlineAt - this.#parts.now()) / 2));
    return within(this.#parts.maker.model(), ms).catch(() => ({ kind: 'failed', reason: 'unreachable' }));
  }

  /** What the store says, or null where it does not in good time: an answer does not wait for it. */
  async #stored<T>(ask: Ask, work: () => Promise<T>): Promise<{ readonly value: T } | null> {
    const ms = Math.min(STORE_MS, Math.max(50, (ask.deadlineAt - this.#parts.now()) / 4));
    return within(work(), ms).then(
      (value) => ({ value }),
      (error: Error) => {
        this.#parts.stumbled(error);
        return null;
      },
    );
  }
}

/** How a thread stands while the store does not say: nothing is known of it, and nothing will be stored. */
function aside({ arriving }: Wish): Standing {
  const seen = threadDigest(arriving.digests);
  const nothing = { kept: null, changed: [] };
  return { comments: arriving.comments, seen, generation: null, outdated: true, ...nothing };
}

const asEnded = (error: unknown): Ended => (error instanceof Ended ? error : new Ended('failed'));
