import { hash } from 'node:crypto';
import type { Comment, SummaryOptions, Thread } from '../../../shared/contract/summary.ts';
import type { ModelInfo } from '../types.ts';
import { PROMPT_VERSION } from './version.ts';

/** Every part behind its length in bytes: no two lists of parts read alike ("1", "23" and "12", "3" differ). */
export function digestOf(parts: readonly string[]): string {
  const framed = parts.map((part) => `${Buffer.byteLength(part)}:${part.toWellFormed()}`).join('');
  return hash('sha256', framed, 'base64url').slice(0, 32);
}

/** A request asks for each several times. */
const HASHES = new WeakMap<Comment, string>();

/**
 * What makes a comment another comment: its id, text (in NFC), edit and place in the tree, all of which shape the prompt or say
 * that the text is new. Author and votes do not: no prompt holds them, so a vote never costs a generation.
 */
export function commentHash(comment: Comment): string {
  const known = HASHES.get(comment);
  if (known !== undefined) return known;
  const { id, parentId, editedAt, text } = comment;
  const hashed = digestOf([id, parentId ?? '', editedAt ?? '', text.normalize('NFC')]);
  HASHES.set(comment, hashed);
  return hashed;
}

/** Oldest first, by id where times are equal, whatever the order the caller sent. */
export function inOrder(comments: readonly Comment[]): readonly Comment[] {
  const at = new Map(comments.map((comment) => [comment, Date.parse(comment.createdAt)]));
  return [...comments].sort((a, b) => (at.get(a) ?? 0) - (at.get(b) ?? 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** What the reader asked for, as far as it shapes the text: deadline, priority and visibility do not. The title stands in the prompt. */
export function optionsKey({ title, locale }: Thread, { language, style, maxSentences }: SummaryOptions): string {
  return digestOf([title ?? '', locale ?? '', language ?? '', style, String(maxSentences)]);
}

/** Names one summary: equal keys, equal prompts. Requests of one key need one generation (single-flight). */
export function summaryKey(thread: Thread, options: SummaryOptions, model: Pick<ModelInfo, 'digest'>): string {
  const comments = inOrder(thread.comments).map(commentHash);
  return digestOf([thread.id, model.digest, PROMPT_VERSION, optionsKey(thread, options), ...comments]);
}
