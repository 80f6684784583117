import { type BridgeClient, BridgeError } from '../../shared/client.ts';
import { SUMMARY_COMMENTS_MAX, Summary } from '../../shared/contract/summary.ts';
import { type Fields, microsOf, type Shown, type ThreadStore } from './store.ts';
import { jobIdOf, type Kind, kindOf, toComments } from './thread.ts';

/** One delivery of a change. Eventarc delivers at least once and in no order. */
export interface CommentEvent {
  readonly id: string;
  /** RFC 3339: when the comment was written. */
  readonly time: string;
  readonly threadId: string;
  readonly commentId: string;
  readonly before: Fields | undefined;
  readonly after: Fields | undefined;
}

export interface Deps {
  readonly threads: ThreadStore;
  readonly bridge: Pick<BridgeClient, 'summarize' | 'deleteComment'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields: Fields) => void;
}

/** What became of a delivery. Whatever may pass is thrown instead, so that the platform delivers again. */
export type Outcome =
  | 'irrelevant'
  /** A summary made after this change stands already. */
  | 'covered'
  | 'written'
  /** Withdrawn, and no comment left to summarise. */
  | 'withdrawn'
  /** Made, but a newer one, or a later withdrawal, came first. */
  | 'superseded'
  /** Older than it is worth retrying. */
  | 'expired'
  /** Failed in a way that trying again does not mend. */
  | 'given-up';

/** Milliseconds after which a change is no longer retried. A removal is worth the platform's whole day, a summary is not. */
export const AGE_MAX_MS = { added: 15 * 60_000, edited: 24 * 3_600_000, removed: 24 * 3_600_000 } as const;
/** Event and snapshot times come from different clocks. */
const CLOCK_SLACK_MICROS = 1_000_000;
/** Within the function's own timeout, twice: the client tries once more. */
export const DEADLINE_MS = 40_000;

/** @throws where it may pass: the bridge away, the database busy, no token to be had. */
export async function onComment(event: CommentEvent, deps: Deps): Promise<Outcome> {
  const kind = kindOf(event.before, event.after);
  if (kind === 'irrelevant') return 'irrelevant';
  const about = { eventId: event.id, threadId: event.threadId, kind };
  try {
    const ageMs = deps.now() - Date.parse(event.time);
    if (Number.isNaN(ageMs)) throw new BridgeError('invalid', 0, { message: `no time of an event: ${event.time}` });
    if (kind !== 'added' && (await withdraw(event, deps)) === 'covered') return 'covered';
    if (ageMs > AGE_MAX_MS[kind]) {
      deps.log('error', 'gave up on a comment: its event is too old', { ...about, ageMs });
      return 'expired';
    }
    // An edit needs no word of its own: the bridge withdraws what it was made from when the edited thread arrives.
    if (kind === 'removed') await deps.bridge.deleteComment(event.threadId, event.commentId);
    const outcome = await summarise(event, kind, deps);
    deps.log('info', `comment handled: ${outcome}`, about);
    return outcome;
  } catch (error) {
    if (mayPass(error)) throw error;
    deps.log('error', 'gave up on a comment: trying again would not help', { ...about, error: String(error) });
    return 'given-up';
  }
}

/** Takes away the copy that readers see here; the bridge's comes after it. */
async function withdraw({ id, time, threadId }: CommentEvent, { threads }: Deps): Promise<'withdrawn' | 'covered'> {
  const asOfMicros = microsOf(time);
  const { current } = await threads.advance(threadId, { state: 'withdrawn', asOfMicros, eventId: id });
  return current.state === 'ready' && current.asOfMicros > asOfMicros + CLOCK_SLACK_MICROS ? 'covered' : 'withdrawn';
}

async function summarise(event: CommentEvent, kind: Kind, { threads, bridge, log }: Deps): Promise<Outcome> {
  const { threadId } = event;
  const before = await threads.current(threadId);
  if (before?.state === 'ready' && before.asOfMicros > microsOf(event.time) + CLOCK_SLACK_MICROS) return 'covered';
  const { rows, asOfMicros } = await threads.comments(threadId, SUMMARY_COMMENTS_MAX);
  const { comments, unusable } = toComments(rows);
  if (unusable > 0) log('warn', 'comments left out: they do not fit the contract', { threadId, unusable });
  if (comments.length === 0) {
    // Edited into what no contract takes, and nothing left to send instead.
    if (kind === 'edited') await bridge.deleteComment(threadId, event.commentId);
    await threads.advance(threadId, { state: 'withdrawn', asOfMicros, eventId: event.id });
    return 'withdrawn';
  }
  const answer = await bridge.summarize({
    id: jobIdOf(event.id, comments),
    thread: { id: threadId, comments },
    options: { priority: 'background', deadlineMs: DEADLINE_MS },
  });
  const summary = shownOf(answer, new Set(comments.map(({ id }) => id)));
  if (typeof summary === 'string') {
    log('error', `summary not written: ${summary}`, { threadId, eventId: event.id });
    return 'given-up';
  }
  const { written } = await threads.advance(threadId, { state: 'ready', asOfMicros, eventId: event.id, summary });
  return written ? 'written' : 'superseded';
}

/** What is stored for readers; or why this answer is not fit to be. */
function shownOf(answer: unknown, known: ReadonlySet<string>): Shown | string {
  const parsed = Summary.safeParse(answer);
  if (!parsed.success) return 'the answer does not fit the contract';
  const { tokens: _tokens, timings: _timings, cached: _cached, ...summary } = parsed.data;
  const unknown = summary.points.some(({ commentIds }) => commentIds.some((id) => !known.has(id)));
  if (unknown) return 'it cites a comment that the thread no longer has';
  // Firestore refuses `undefined`.
  return Object.fromEntries(Object.entries(summary).filter(([, value]) => value !== undefined)) as Shown;
}

/** gRPC codes of Firestore that are worth another delivery (google.golang.org/grpc/codes). */
const PASSING_CODES = new Set([1, 2, 4, 8, 10, 13, 14]);

/** A refusal will be one again; no answer, an overload and what nobody foresaw may pass, and the age of the event bounds that. */
function mayPass(error: unknown): boolean {
  if (error instanceof BridgeError) return error.failure === 'unavailable';
  // A timeout or a broken-off exchange; its `code` is a number as well, of another list.
  if (error instanceof DOMException) return true;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'number' ? PASSING_CODES.has(code) : true;
}
