import { hash } from 'node:crypto';
import type { Comment, SummaryOptions, Thread } from '../../shared/contract/summary.ts';

const digestOf = (value: unknown) => hash('sha256', JSON.stringify(value), 'base64url').slice(0, 22);

/** Digest of each comment by its id. */
export type Digests = Readonly<Record<string, string>>;

/** What each comment says, by its id: an edit gives another digest, a vote does not. */
export function commentDigests(comments: readonly Comment[]): Digests {
  return Object.fromEntries(
    comments.map(({ id, text, editedAt }) => [id, digestOf([text, editedAt ? Date.parse(editedAt) : null])]),
  );
}

/** One digest for the whole thread as it was sent. */
export const threadDigest = (digests: Digests) => digestOf(Object.entries(digests));

/** Summaries of one thread that stand beside each other: what is asked for, apart from how urgently. */
export function variantOf(thread: Thread, { language, style, maxSentences }: SummaryOptions): string {
  return digestOf([language ?? null, style, maxSentences, thread.locale ?? null]).slice(0, 12);
}

/** Ids of comments that were known and are now edited or gone. */
export function changedComments(known: Digests, now: Digests): string[] {
  return Object.keys(known).filter((id) => now[id] !== known[id]);
}

/** PostgreSQL keeps neither NUL nor half a surrogate pair, and no reader needs them. */
export function storable(thread: Thread): Thread {
  const clean = (text: string) => (text.includes('\0') ? text.replaceAll('\0', '') : text).toWellFormed();
  return {
    ...thread,
    ...(thread.title === undefined ? {} : { title: clean(thread.title) }),
    comments: thread.comments.map((comment) => ({
      ...comment,
      text: clean(comment.text),
      ...(comment.author ? { author: clean(comment.author) } : {}),
    })),
  };
}
