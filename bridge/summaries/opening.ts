import type { SummaryOptions, Thread } from '../../shared/contract/summary.ts';
import { summaryKey } from './policy/canonical.ts';
import { languageOf } from './policy/check/language.ts';
import type { Rates } from './policy/estimator.ts';
import { type Plan, plan, WHOLE_COMMENTS } from './policy/plan.ts';
import { type Prompt, tailPrompt } from './policy/prompt.ts';
import type { Assignment, ModelInfo } from './types.ts';

/** How a summary begins: all that is worked out before the model is asked. */
export interface Opening {
  readonly planned: Plan;
  /** To write in; undefined where it does not show, or nothing is written. */
  readonly language: string | undefined;
  /** Where the summary is written from the comments alone. */
  readonly prompt: Prompt | null;
}

export interface OpeningFor {
  readonly model: ModelInfo;
  readonly rates: Rates;
  /** In [0, 1). */
  readonly random: () => number;
}

export function openingOf(assignment: Assignment, { model, rates, random }: OpeningFor): Opening {
  const { thread, options } = assignment;
  const planned = plan(assignment, model, rates);
  if (planned.do === 'reuse') return { planned, language: undefined, prompt: null };
  const language = options.language ?? thread.locale ?? languageOf(sample(thread));
  const prompt = planned.whole ? tailPrompt(planned.tail, { options, language, title: thread.title }, random) : null;
  return { planned, language, prompt };
}

/** Enough of a thread to tell its language by. */
const sample = ({ comments }: Thread): string =>
  comments
    .slice(0, 40)
    .map(({ text }) => text.slice(0, 300))
    .join(' ');

interface Foreseen {
  readonly options: SummaryOptions;
  readonly model: ModelInfo;
  readonly key: string;
  /** With what is known of the model's tokens at that time. */
  readonly opening: { readonly rates: Rates; readonly value: Opening } | null;
}

/**
 * What is worked out of a thread while the store is asked what it knows of it: otherwise one would wait for the other. It lives as long as
 * the thread of its request, and holds for just that.
 */
export class Foresight {
  readonly #foreseen = new WeakMap<Thread, Foreseen>();

  /**
   * The key; and the opening of a thread that is most likely new, where one prompt may hold it: that of a longer one takes too long to be
   * worked out for nothing.
   */
  foresee(thread: Thread, options: SummaryOptions, about: OpeningFor, isNew: boolean): void {
    const { model, rates } = about;
    const isShort = thread.comments.length <= WHOLE_COMMENTS;
    const opening = isNew && isShort ? { rates, value: openingOf({ thread, options, record: null }, about) } : null;
    this.#foreseen.set(thread, { options, model, key: summaryKey(thread, options, model), opening });
  }

  /** See `summaryKey`. */
  key(thread: Thread, options: SummaryOptions, model: ModelInfo): string {
    return this.#known(thread, options, model)?.key ?? summaryKey(thread, options, model);
  }

  /** What was foreseen of the very same, or the opening as it is worked out now. */
  open(assignment: Assignment, about: OpeningFor): Opening {
    const { thread, options, record } = assignment;
    const opening = record === null ? this.#known(thread, options, about.model)?.opening : null;
    return opening?.rates === about.rates ? opening.value : openingOf(assignment, about);
  }

  #known(thread: Thread, options: SummaryOptions, model: ModelInfo): Foreseen | null {
    const known = this.#foreseen.get(thread);
    return known?.options === options && known.model === model ? known : null;
  }
}
