import type { Summary, SummaryOptions, Thread } from '../../shared/contract/summary.ts';
import type { JobStore } from './store/jobs.ts';
import type { Threads } from './store/threads.ts';
import type { Assignment, Listen, Made, ModelInfo, Priority } from './types.ts';

export type ModelState =
  | { readonly kind: 'model'; readonly model: ModelInfo }
  /** None is configured. */
  | { readonly kind: 'none' }
  /** There is none to use now, and why. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Those who wait for a generation, as they are at the moment. */
export interface Waiters {
  /** When the answer must be there, in milliseconds since the epoch; later once one who can wait longer has joined. */
  readonly deadlineAt: () => number;
  /** Whether anybody listens to its text. */
  readonly isHeard: () => boolean;
}

/** A generation's place in time. */
export interface Turn extends Waiters {
  /** Milliseconds it waited. */
  readonly queuedMs: number;
}

/** Of one who waits for the answer alone. */
export const DEAF: Listen = () => {};

/** How a thread's summary is planned and made: planner, engine and extraction behind one face. */
export interface Maker {
  model(): Promise<ModelState>;
  /** Works out ahead what will most likely be asked of it. @param isNew of a thread that most likely nothing is known of */
  foresee(thread: Thread, options: SummaryOptions, model: ModelInfo, isNew: boolean): void;
  /** What the summary depends on: the same key is the same summary. */
  key(thread: Thread, options: SummaryOptions, model: ModelInfo): string;
  make(assignment: Assignment, turn: Turn, signal: AbortSignal, listen: Listen): Promise<Made>;
  /** Sentences of the thread itself, labelled with `reason`. */
  extractive(thread: Thread, options: SummaryOptions, reason: string): Summary;
}

export interface Task<T> {
  /** Tasks of one key are one generation, whoever asks. */
  readonly key: string;
  readonly caller: string;
  readonly priority: Priority;
  /** Milliseconds since the epoch. */
  readonly deadlineAt: number;
  run(signal: AbortSignal, emit: Listen, waiters: Waiters): Promise<T>;
}

export interface Waiter {
  /** Aborted when the caller has left. */
  readonly signal: AbortSignal;
  readonly listen: Listen;
}

export type Submitted<T> =
  | { readonly ok: true; readonly result: Promise<T>; leave(): void }
  | { readonly ok: false; readonly reason: 'full' | 'caller-full'; readonly retryAfterMs: number };

export interface Queue {
  submit<T>(task: Task<T>, listen: Listen): Submitted<T>;
}

export interface ServiceParts {
  readonly maker: Maker;
  readonly queue: Queue;
  readonly threads: Threads;
  readonly jobs: Pick<JobStore, 'done'>;
  readonly now: () => number;
  /** For the metrics: an answer was given. */
  readonly answered: (summary: Summary) => void;
  /** For the metrics: there was no room. */
  readonly refused: (reason: string) => void;
  /** The store could not be used. */
  readonly stumbled: (error: Error) => void;
}
