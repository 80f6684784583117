import type { Summary, SummaryOptions, Thread } from '../../shared/contract/summary.ts';
import type { Maker } from './parts.ts';
import type { Extract } from './types.ts';

export const EXTRACTIVE_VERSION = 'extractive-1';

/** A summary in sentences of the thread itself, labelled as what it is and why. Covered are the comments it quotes. */
export function extractiveSummary(
  extract: Extract,
  { thread, options, reason, now }: { thread: Thread; options: SummaryOptions; reason: string; now: number },
): Summary {
  const { maxSentences } = options;
  const { comments, locale } = thread;
  const { summary, points } = extract(comments, { maxSentences, ...(locale === undefined ? {} : { locale }) });
  const covered = new Set(points.flatMap(({ commentIds }) => commentIds)).size;
  return {
    threadId: thread.id,
    summary,
    points: points.map(({ text, commentIds }) => ({ text, commentIds: [...commentIds] })),
    engine: 'extractive',
    promptVersion: EXTRACTIVE_VERSION,
    language: locale ?? 'und',
    coverage: { comments: comments.length, covered, omitted: comments.length - covered },
    stale: false,
    cached: false,
    reason,
    tokens: { prompt: 0, completion: 0 },
    timings: { queuedMs: 0, firstTokenMs: null, generatedMs: 0, totalMs: 0 },
    createdAt: new Date(now).toISOString(),
  };
}

/** Where no model is configured: everything is extractive. */
export function modelless(extract: Extract, now: () => number): Maker {
  return {
    model: async () => ({ kind: 'none' }),
    foresee: () => {},
    key: () => '',
    make: async ({ thread, options }) => {
      const summary = extractiveSummary(extract, { thread, options, reason: 'no-model', now: now() });
      return { summary, record: null };
    },
    extractive: (thread, options, reason) => extractiveSummary(extract, { thread, options, reason, now: now() }),
  };
}
