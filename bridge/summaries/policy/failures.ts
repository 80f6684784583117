import type { FailureName } from '../types.ts';

/** What follows a failed generation. `tries` counts all attempts of this kind. */
export type Consequence =
  /** No further attempt: the last good or the extractive summary. */
  | { readonly next: 'give-up' }
  /** The same once more, after a wait that grows with each failure. */
  | { readonly next: 'wait'; readonly tries: number }
  /** At once, with another seed. */
  | { readonly next: 'reseed'; readonly tries: number }
  /** With room for a longer answer. */
  | { readonly next: 'lengthen'; readonly tries: number }
  /** In smaller prompts. */
  | { readonly next: 'split' };

export const CONSEQUENCES: Readonly<Record<FailureName, Consequence>> = {
  'model-missing': { next: 'give-up' },
  unreachable: { next: 'give-up' },
  'not-ollama': { next: 'give-up' },
  'bad-request': { next: 'give-up' },
  aborted: { next: 'give-up' },
  'breaker-open': { next: 'give-up' },
  'on-cpu': { next: 'give-up' },
  'first-token-timeout': { next: 'give-up' },
  busy: { next: 'wait', tries: 6 },
  crashed: { next: 'wait', tries: 2 },
  incomplete: { next: 'reseed', tries: 2 },
  stalled: { next: 'reseed', tries: 2 },
  repetition: { next: 'reseed', tries: 2 },
  length: { next: 'lengthen', tries: 2 },
  'context-exceeded': { next: 'split' },
};

/** A stable word for `Summary.reason`: why it is not a fresh summary of the model. */
export function reasonOf(failure: FailureName): string {
  if (failure === 'aborted') return 'deadline';
  return failure === 'context-exceeded' ? 'context-too-small' : failure;
}
