import type { Comment } from '../../../shared/contract/summary.ts';
import { READ_MAX } from './clean.ts';
import { type Place, type Weighing, weigh } from './weigh.ts';

/** Work is bounded here, whatever the thread's size: comments and characters that are read, sentences that are compared. */
export const BOUNDS = { comments: 500, characters: 200_000, sentences: 1000 } as const;

/** One text of the thread with every comment that says the same, word for word. */
export interface Candidate {
  readonly text: string;
  /** Place in the thread of the first that says it. */
  readonly position: number;
  readonly commentIds: readonly string[];
  readonly weight: number;
}

/** Same letters but for case and space; only the beginning of long ones. */
const sameness = (text: string): string => text.slice(0, 500).toLowerCase().replace(/\s+/g, ' ').trim();

/**
 * The comments worth reading, in thread order, copies folded into one: all of them within the bounds; beyond, half by weight and half
 * spread evenly over the thread, so that no part of it goes unheard.
 */
export function choose(comments: readonly Comment[], tree: readonly Place[], on: Weighing): Candidate[] {
  const unique = fold(comments, weigh(comments, tree, on));
  const byWeight = [...unique].sort((a, b) => b.weight - a.weight || a.position - b.position);
  const half = Math.floor(BOUNDS.comments / 2);
  const every = Math.max(1, unique.length / (BOUNDS.comments - half));
  const spread = unique.filter((_, at) => Math.floor(at / every) !== Math.floor((at - 1) / every));
  const wanted = unique.length <= BOUNDS.comments ? byWeight : [...byWeight.slice(0, half), ...spread];
  const taken = new Set<Candidate>();
  let characters = 0;
  for (const candidate of wanted) {
    const length = Math.min(candidate.text.length, READ_MAX);
    if (taken.has(candidate) || characters + length > BOUNDS.characters) continue;
    characters += length;
    taken.add(candidate);
  }
  return [...taken].sort((a, b) => a.position - b.position);
}

function fold(comments: readonly Comment[], weights: readonly number[]): Candidate[] {
  const groups = new Map<string, { text: string; position: number; commentIds: string[]; weight: number }>();
  for (const [position, { id, text }] of comments.entries()) {
    const key = sameness(text);
    if (key === '') continue;
    const weight = weights[position] ?? 0;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { text, position, commentIds: [id], weight });
    // A copy adds its citation and, at most, its own weight: saying a thing a hundred times makes it no truer.
    else {
      group.commentIds.push(id);
      group.weight = Math.max(group.weight, weight);
    }
  }
  return [...groups.values()];
}
