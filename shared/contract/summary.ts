import { z } from 'zod';

/** Comments one request may carry. */
export const SUMMARY_COMMENTS_MAX = 10_000;
/** Characters of one comment's text. */
export const COMMENT_TEXT_MAX = 20_000;
/** Milliseconds a caller may wait for an answer. */
export const DEADLINE_MS = { min: 250, max: 600_000, interactive: 30_000, background: 300_000 } as const;

// Ids stand in URLs, cache tags and prompts: no spaces, commas or slashes.
export const ThreadId = z.string().regex(/^[\w.:~-]{1,200}$/, '1 to 200 letters, digits, and _ . : ~ -');
export const CommentId = z.string().regex(/^[\w.:~-]{1,128}$/, '1 to 128 letters, digits, and _ . : ~ -');
const Language = z.string().regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'a BCP 47 tag such as en or pt-BR');
const Instant = z.iso.datetime({ offset: true });

export const Comment = z
  .strictObject({
    id: CommentId,
    parentId: CommentId.nullish(),
    author: z.string().max(200).nullish(),
    createdAt: Instant,
    editedAt: Instant.nullish(),
    votes: z.int().min(-1_000_000_000).max(1_000_000_000).optional(),
    text: z.string().max(COMMENT_TEXT_MAX),
  })
  .meta({ id: 'Comment' });
export type Comment = z.infer<typeof Comment>;

export const Thread = z
  .strictObject({
    id: ThreadId,
    title: z.string().max(500).optional(),
    url: z
      .url({ protocol: /^https?$/ })
      .max(4096)
      .optional(),
    locale: Language.optional().describe('Of the comments; found from the text where absent.'),
    comments: z.array(Comment).min(1).max(SUMMARY_COMMENTS_MAX),
  })
  .superRefine((thread, context) => {
    const seen = new Set<string>();
    for (const [index, { id }] of thread.comments.entries()) {
      if (seen.has(id)) {
        context.addIssue({ code: 'custom', message: `the id ${id} stands twice`, path: ['comments', index, 'id'] });
      }
      seen.add(id);
    }
  })
  .meta({ id: 'Thread' });
export type Thread = z.infer<typeof Thread>;

export const SummaryOptions = z
  .strictObject({
    language: Language.optional().describe('Of the summary; the language of the thread where absent.'),
    style: z.enum(['neutral', 'brief', 'bullets']).default('neutral'),
    maxSentences: z.int().min(1).max(12).default(4),
    priority: z.enum(['interactive', 'background']).default('interactive'),
    deadlineMs: z.int().min(DEADLINE_MS.min).max(DEADLINE_MS.max).optional(),
    visibility: z
      .enum(['public', 'private'])
      .default('public')
      .describe('`private`: reading the summary by its thread takes a credential, and no cache keeps it.'),
  })
  .meta({ id: 'SummaryOptions' });
export type SummaryOptions = z.infer<typeof SummaryOptions>;

export const SummaryRequest = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9._:-]{8,128}$/, '8 to 128 letters, digits, dots, underscores, colons or dashes')
      .optional()
      .describe('Names the job, so that sending it again is the same job. Made up where absent.'),
    thread: Thread.optional(),
    threadId: ThreadId.optional().describe("Instead of the thread, where the bridge can read the blog's comments."),
    options: SummaryOptions.prefault({}),
  })
  .superRefine((request, context) => {
    if ((request.thread === undefined) === (request.threadId === undefined)) {
      context.addIssue({ code: 'custom', message: 'give thread or threadId, one of them', path: ['thread'] });
    }
  })
  .meta({ id: 'SummaryRequest' });
export type SummaryRequest = z.infer<typeof SummaryRequest>;
/** What a caller writes: the defaults may be left out. */
export type SummaryInput = z.input<typeof SummaryRequest>;

// Answers are open: a field that a later bridge adds breaks no client that was deployed before it.
export const SummaryPoint = z.object({ text: z.string(), commentIds: z.array(CommentId).min(1) });
export type SummaryPoint = z.infer<typeof SummaryPoint>;

export const Summary = z
  .object({
    threadId: ThreadId,
    summary: z.string(),
    points: z.array(SummaryPoint),
    engine: z.enum(['model', 'extractive']).describe('Who made it.'),
    model: z.string().optional().describe('Name of the model, where a model made it.'),
    promptVersion: z.string(),
    language: z.string().describe('BCP 47 tag of the summary; `und` where unknown.'),
    coverage: z
      .object({ comments: z.int(), covered: z.int(), omitted: z.int() })
      .describe('Comments of the request; of these those the summary was made from, and the others.'),
    stale: z.boolean().describe('Made before the newest comments or edits.'),
    cached: z.boolean().describe('Nothing was generated for this answer.'),
    /** Why it is not a fresh summary of the model: a stable word, such as `no-model` or `deadline`. */
    reason: z.string().optional(),
    tokens: z.object({ prompt: z.int(), completion: z.int() }).describe('Spent for this answer.'),
    timings: z.object({
      queuedMs: z.number(),
      firstTokenMs: z.number().nullable(),
      generatedMs: z.number(),
      totalMs: z.number(),
    }),
    createdAt: Instant,
  })
  .meta({ id: 'Summary', description: 'What was said in the thread, and which comments say so.' });
export type Summary = z.infer<typeof Summary>;

export const JobAccepted = z
  .object({ id: z.string(), acceptedAt: Instant, replayed: z.boolean(), status: z.string() })
  .meta({ id: 'JobAccepted', description: 'The job is durable; `status` is where to poll.' });
export type JobAccepted = z.infer<typeof JobAccepted>;

export const Job = z
  .object({
    id: z.string(),
    threadId: ThreadId,
    state: z.enum(['queued', 'running', 'done', 'failed']),
    acceptedAt: Instant,
    settledAt: Instant.nullable(),
    progress: z.object({ phase: z.string(), done: z.int(), total: z.int() }).nullable(),
    summary: Summary.nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
  })
  .meta({ id: 'SummaryJob' });
export type Job = z.infer<typeof Job>;

export const SummaryRemoved = z
  .object({
    threadId: ThreadId,
    removed: z.boolean().describe('Whether a summary was there that could be read.'),
    purgeId: z
      .string()
      .nullable()
      .describe('Of the purge that takes it off the edge; null where the edge held nothing.'),
    status: z.string().nullable().describe('Path of that purge.'),
  })
  .meta({ id: 'SummaryRemoved', description: 'Gone from the store; the purge of the edge is durably queued.' });
export type SummaryRemoved = z.infer<typeof SummaryRemoved>;

/** Server-sent events, by their `event` field. Heartbeats are comments. */
export interface SummaryEvents {
  /** `done` of `total` generations; `position` in the queue while `phase` is `queued`. */
  readonly progress: {
    readonly phase: 'queued' | 'reading' | 'writing' | 'repairing';
    readonly done: number;
    readonly total: number;
    readonly position?: number;
  };
  /** More of the summary's text. Provisional: only whole sentences that passed the text checks are sent, and `summary` replaces them. */
  readonly text: { readonly delta: string };
  readonly summary: Summary;
  readonly error: { readonly code: string; readonly message: string };
}
