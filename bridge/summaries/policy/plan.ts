import type { Comment, Thread } from '../../../shared/contract/summary.ts';
import type { Assignment, ModelInfo } from '../types.ts';
import { commentHash, inOrder, optionsKey, summaryKey } from './canonical.ts';
import { chains, type Line, lineOf, totalOf } from './chunks.ts';
import { estimate, likely, PRIOR, type Rates } from './estimator.ts';
import { type KnownRecord, parseRecord, RECORD_VERSION, type Written, withoutNumbers } from './record.ts';
import { PROMPT_VERSION } from './version.ts';

/** Tokens of a chat template, a repair request, and what an estimate of a short text is off. */
export const SAFETY = 128;
/** New comments of fewer tokens stand in the writing as they are, until more have come: one generation instead of two. */
const TAIL_TOKENS = 240;
/** Threads up to this many comments are summarised from the comments themselves where one prompt holds them. */
export const WHOLE_COMMENTS = 60;
/** A summary is written from every note again once there are so many times the comments of the last time. */
const ANCHOR_GROWTH = 3;

export type PlanReason =
  | 'unchanged'
  | 'new-comments'
  | 'changed-comments'
  | 'new-options'
  | 'unfinished'
  | 'first'
  | 'unreadable-record'
  | 'other-model'
  | 'other-prompt';

export interface Work {
  readonly reason: PlanReason;
  readonly key: string;
  readonly options: string;
  /** What is kept and still true, with a number for every comment of the thread. */
  readonly record: KnownRecord;
  /** Comments to be read and noted, chain by chain. */
  readonly unread: readonly (readonly Line[])[];
  /** Comments that the writing holds as they are. */
  readonly tail: readonly Line[];
  /** The tail is the whole thread: the points become its notes. */
  readonly whole: boolean;
  /** The earlier writing whose points stand for what it read; undefined: write from every note. */
  readonly base: Written | undefined;
  readonly numbers: ReadonlyMap<string, number>;
}

export type Plan =
  | { readonly do: 'reuse'; readonly reason: 'unchanged'; readonly written: Written; readonly record: KnownRecord }
  | ({ readonly do: 'extend' | 'rebuild' } & Work);

/** The record without what is no longer true of this thread: comments edited or gone, and all that was made with them. */
export function stillTrue(record: KnownRecord, thread: Thread): KnownRecord {
  const now = new Map(thread.comments.map((comment) => [comment.id, commentHash(comment)]));
  const gone = new Set<number>();
  for (const [number, comment] of record.comments.entries()) {
    if (comment !== null && now.get(comment.id) !== comment.hash) gone.add(number);
  }
  return withoutNumbers(record, gone);
}

/** The summary of these options as far as it is still true of the thread, and whether it is the one asked for. */
export function lastGood(
  { thread, options, record }: Assignment,
  digest?: string,
): { readonly written: Written; readonly current: boolean } | null {
  const known = parseRecord(record);
  if (known === null) return null;
  const wanted = optionsKey(thread, options);
  const written = stillTrue(known, thread).written.find((one) => one.options === wanted);
  if (written === undefined) return null;
  return { written, current: written.key === summaryKey(thread, options, { digest: digest ?? known.model }) };
}

/** A record that knows the comments and has read none. */
function blank(model: ModelInfo, rates: Rates): KnownRecord {
  const [version, prompt] = [RECORD_VERSION, PROMPT_VERSION] as const;
  return { version, model: model.digest, prompt, comments: [], chunks: [], written: [], rates };
}

function start(assignment: Assignment, model: ModelInfo, rates: Rates | undefined): [KnownRecord, PlanReason | null] {
  if (assignment.record === null) return [blank(model, rates ?? PRIOR), 'first'];
  const known = parseRecord(assignment.record);
  if (known === null) return [blank(model, rates ?? PRIOR), 'unreadable-record'];
  if (known.model !== model.digest) return [blank(model, rates ?? PRIOR), 'other-model'];
  if (known.prompt !== PROMPT_VERSION) return [blank(model, rates ?? known.rates), 'other-prompt'];
  return [{ ...stillTrue(known, assignment.thread), rates: rates ?? known.rates }, null];
}

/** Numbers for comments that have none yet; a number once given is never another comment's. */
function numbered(
  record: KnownRecord,
  comments: readonly Comment[],
): { readonly record: KnownRecord; readonly numbers: ReadonlyMap<string, number> } {
  const numbers = new Map<string, number>();
  for (const [number, comment] of record.comments.entries()) if (comment !== null) numbers.set(comment.id, number);
  const all = [...record.comments];
  for (const comment of comments) {
    if (numbers.has(comment.id)) continue;
    numbers.set(comment.id, all.length);
    all.push({ id: comment.id, hash: commentHash(comment) });
  }
  return { record: { ...record, comments: all }, numbers };
}

/**
 * Says what a summary of the thread costs now: nothing (reuse), the new and changed comments (extend), or all (rebuild), and why.
 * @param learnt what is known of the model's tokens from elsewhere; otherwise the record's own measure, or a careful guess
 */
export function plan(assignment: Assignment, model: ModelInfo, learnt?: Rates): Plan {
  const { thread, options } = assignment;
  const key = summaryKey(thread, options, model);
  const [kept, anew] = start(assignment, model, learnt);
  const wanted = optionsKey(thread, options);
  const written = kept.written.find((one) => one.options === wanted);
  if (written?.key === key) return { do: 'reuse', reason: 'unchanged', written, record: kept };
  const comments = inOrder(thread.comments);
  const { record, numbers } = numbered(kept, comments);
  const chunked = new Set(record.chunks.flatMap(({ of }) => of));
  const number = (id: string): number => numbers.get(id) ?? -1;
  const fresh = comments.filter(({ id }) => !chunked.has(number(id)));
  const line = ({ id, parentId, text }: Comment): Line =>
    lineOf(number(id), parentId == null ? undefined : numbers.get(parentId), text);
  const unread = chains(fresh).map((chain) => chain.map(line));
  const lines = unread.flat();
  const tokens = totalOf(lines);
  const room = model.contextTokens / 2 - SAFETY;
  const whole = record.chunks.length === 0 && lines.length <= WHOLE_COMMENTS && estimate(tokens, record.rates) <= room;
  const raw = whole || (record.chunks.length > 0 && likely(tokens, record.rates) <= Math.min(TAIL_TOKENS, room / 4));
  const base = written !== undefined && numbers.size < written.anchor * ANCHOR_GROWTH ? written : undefined;
  const known = parseRecord(assignment.record);
  return {
    do: anew === null && record.chunks.length > 0 ? 'extend' : 'rebuild',
    reason: anew ?? whatChanged(known, kept, fresh.length, written),
    ...{ key, options: wanted, record, numbers, whole, base },
    unread: raw ? [] : unread,
    tail: raw ? lines : [],
  };
}

function whatChanged(
  before: KnownRecord | null,
  kept: KnownRecord,
  fresh: number,
  written: Written | undefined,
): PlanReason {
  const gone = (record: KnownRecord): number => record.comments.filter((comment) => comment === null).length;
  if (before !== null && gone(kept) > gone(before)) return 'changed-comments';
  if (written === undefined && kept.written.length > 0) return 'new-options';
  if (fresh > 0 && written !== undefined) return 'new-comments';
  return 'unfinished';
}
