import type { Comment, Summary } from '../../shared/contract/summary.ts';
import { threadDigest } from './digest.ts';
import type { ServiceParts } from './parts.ts';
import type { Known } from './store/arrival.ts';
import { usable } from './store/held.ts';
import { asKept } from './store/threads.ts';
import { STORE_MS, type Wish, within } from './wish.ts';

/** Extractive summaries that are remembered. */
const KNOWN_MAX = 100;
/** Where the deadline is over already; before it there is the time that is left. */
const LOOK_MS = 100;

/** What is answered where no fresh summary of the model can be: the last good one, else sentences of the thread itself. */
export class Fallback {
  readonly #parts: ServiceParts;
  readonly #known = new Map<string, Summary>();

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /**
   * Looks at the store again, because what was read when the request arrived may have been withdrawn while it waited.
   * @param made extractive already, by whoever found out that it must be.
   */
  async answer(wish: Wish, reason: string, made?: Summary): Promise<Summary> {
    const { threads, stumbled } = this.#parts;
    const { ask, arriving } = wish;
    const lookMs = Math.max(LOOK_MS, Math.min(STORE_MS, ask.deadlineAt - this.#parts.now()));
    const look = within(threads.glance(arriving.threadId, arriving.variant), lookMs).catch((error: Error) => {
      stumbled(error);
      return null;
    });
    const glance = await look;
    const { comments, seen } = usable(arriving, glance?.held ?? {});
    const kept = glance?.kept ?? null;
    if (kept && (kept.summary.engine === 'model' || kept.seen === seen)) {
      return { ...asKept(kept.summary, kept.seen !== seen), reason };
    }
    const untouched = comments.length === arriving.comments.length;
    const summary = made && untouched ? made : { ...this.#extractive(wish, comments, seen), reason };
    if (glance && glance.seen === seen) {
      const kept = this.#keep(wish, seen, glance, summary);
      // Nobody waits for it past the deadline; before, whoever asks next should find it.
      if (ask.deadlineAt - this.#parts.now() > STORE_MS) await kept;
    }
    return summary;
  }

  /** Works it out ahead of the deadline: a large thread takes a quarter of a second. */
  prepare({ ask, arriving }: Wish): void {
    this.#extractive({ ask, arriving }, arriving.comments, threadDigest(arriving.digests));
  }

  /** Once for all who ask: they run into their deadlines together. */
  #extractive({ ask, arriving }: Wish, comments: readonly Comment[], seen: string): Summary {
    const name = `${arriving.threadId} ${arriving.variant} ${seen}`;
    const thread = { ...ask.thread, comments: [...comments] };
    const summary = this.#known.get(name) ?? this.#parts.maker.extractive(thread, ask.options, 'failed');
    this.#known.delete(name);
    this.#known.set(name, summary);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    return summary;
  }

  /** Readers get it until there is a better one. */
  async #keep({ arriving: { threadId, variant } }: Wish, seen: string, glance: Known, summary: Summary): Promise<void> {
    const saving = { threadId, variant, generation: glance.generation, key: '', seen, summary, record: null };
    await within(this.#parts.threads.save(saving), STORE_MS).catch((error: Error) => this.#parts.stumbled(error));
  }
}
