import { createHash } from 'node:crypto';
import { COMMENT_TEXT_MAX, Comment } from '../../shared/contract/summary.ts';
import type { Fields } from './store.ts';

/** What happened to a comment, as far as a summary is concerned. */
export type Kind = 'added' | 'edited' | 'removed' | 'irrelevant';

/** A comment that a moderator hid is as good as deleted. */
const shown = (fields: Fields | undefined): fields is Fields => fields !== undefined && fields.hidden !== true;

/** Votes and the like change what weighs, not what was said: they wait for the next comment. */
export function kindOf(before: Fields | undefined, after: Fields | undefined): Kind {
  if (!shown(before)) return shown(after) ? 'added' : 'irrelevant';
  if (!shown(after)) return 'removed';
  return before.text === after.text ? 'irrelevant' : 'edited';
}

/** The comments as the bridge takes them; those that no contract would take are counted, so that one cannot block its thread. */
export function toComments(rows: readonly { id: string; fields: Fields }[]): { comments: Comment[]; unusable: number } {
  const visible = rows.filter(({ fields }) => shown(fields));
  const comments = visible.flatMap(({ id, fields }) => {
    const parsed = Comment.safeParse({
      id,
      parentId: fields.parentId ?? null,
      author: typeof fields.author === 'string' ? fields.author.slice(0, 200) : null,
      createdAt: isoOf(fields.createdAt),
      editedAt: fields.editedAt == null ? null : isoOf(fields.editedAt),
      ...(typeof fields.votes === 'number' ? { votes: fields.votes } : {}),
      text: typeof fields.text === 'string' ? fields.text.slice(0, COMMENT_TEXT_MAX) : fields.text,
    });
    return parsed.success ? [parsed.data] : [];
  });
  return { comments, unusable: visible.length - comments.length };
}

/** A Firestore Timestamp, or the string that a web client may have written. */
function isoOf(value: unknown): unknown {
  const stamp = value as { toDate?: () => Date } | null | undefined;
  return typeof stamp?.toDate === 'function' ? stamp.toDate().toISOString() : value;
}

/**
 * Names the bridge's job. The event says which delivery this is: a repeated one is the same job. The comments' digest is in it because
 * a retry reads them anew, and one id with two contents would be refused.
 */
export function jobIdOf(eventId: string, comments: readonly Comment[]): string {
  const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);
  const safe = /^[A-Za-z0-9._:-]{1,90}$/.test(eventId) ? eventId : digest(eventId);
  const content = comments.map(({ id, text, editedAt }) => [id, text, editedAt ?? null]);
  return `firestore:${safe}:${digest(JSON.stringify(content))}`;
}
