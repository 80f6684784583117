import type { SummaryOptions, Thread } from '../../shared/contract/summary.ts';
import { commentDigests, variantOf } from './digest.ts';
import type { Arriving } from './store/head.ts';

/** One caller's wish for a summary. */
export interface Ask {
  readonly thread: Thread;
  readonly options: SummaryOptions;
  readonly caller: string;
  /** Milliseconds since the epoch, both. */
  readonly acceptedAt: number;
  readonly deadlineAt: number;
  /** The durable job that asks, where one does. */
  readonly jobId?: string;
}

/** A wish with what is worked out from it once. */
export interface Wish {
  readonly ask: Ask;
  readonly arriving: Arriving;
}

export function wishOf(ask: Ask): Wish {
  const { thread, options, acceptedAt } = ask;
  const { visibility } = options;
  const digests = commentDigests(thread.comments);
  const variant = variantOf(thread, options);
  return {
    ask,
    arriving: { threadId: thread.id, variant, visibility, comments: thread.comments, digests, acceptedAt },
  };
}

/** A generation that came to nothing, with the word that says why; only after `after` does the store hold what follows from it. */
export class Ended extends Error {
  readonly reason: string;
  readonly after: Promise<unknown> | null;

  constructor(reason: string, after: Promise<unknown> | null = null) {
    super(reason);
    this.reason = reason;
    this.after = after;
  }
}

/** Longest the store may take, in milliseconds, before an answer is made without it. */
export const STORE_MS = 2500;

/** @throws where `work` takes longer; it goes on all the same. */
export async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the store did not answer within ${Math.round(ms)} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
