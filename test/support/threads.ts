import type { Comment, SummaryInput, Thread } from '../../shared/contract/summary.ts';

const SAID = [
  'The tunnel stayed up for nine days once I pinned the protocol to HTTP/2 instead of QUIC.',
  'My mini PC idles at seven watts, and the whole rack draws less than a light bulb.',
  'Has anybody measured what a purge costs on the free plan when a post changes every hour?',
  'I would not trust a backup that nobody has restored, whatever the dashboard says.',
  'Stale pages are fine for me as long as the comments say when they were written.',
  'The first post after an outage took four seconds, everything later came from the archive.',
];

/** A comment that says something; which, follows from its number. */
export function comment(number: number, given: Partial<Comment> = {}): Comment {
  const at = new Date(Date.UTC(2026, 10, 20, 12, number % 60, Math.floor(number / 60) % 60));
  return {
    id: `c${number}`,
    author: `reader ${number % 17}`,
    createdAt: at.toISOString(),
    votes: number % 5,
    text: `Remark ${number} in this thread: ${SAID[number % SAID.length]}`,
    ...given,
  };
}

export function thread(id: string, comments: number, given: Partial<Thread> = {}): Thread {
  return { id, comments: Array.from({ length: comments }, (_, index) => comment(index + 1)), ...given };
}

/** A request's body. */
export const asking = (of: Thread, options: SummaryInput['options'] = {}, rest: Partial<SummaryInput> = {}): string =>
  JSON.stringify({ thread: of, options, ...rest } satisfies SummaryInput);
