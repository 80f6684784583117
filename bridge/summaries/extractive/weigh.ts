import type { Comment } from '../../../shared/contract/summary.ts';
import type { Suspicion } from './suspicion.ts';

/** Ancestors that are followed; deeper threads, and circles in broken ones, count as this deep. */
const DEPTH_MAX = 32;

export interface Place {
  /** Replies above the comment: 0 for one that answers nobody. */
  readonly depth: number;
  /** Comments below it, at most `DEPTH_MAX` levels down. */
  readonly replies: number;
}

/** Where every comment stands in the reply tree, in the order given. A parent that is not there makes a root. Linear. */
export function places(comments: readonly Comment[]): Place[] {
  const parents = new Map(comments.map(({ id, parentId }) => [id, parentId ?? null]));
  const replies = new Map<string, number>();
  const depths = comments.map(({ id }) => {
    let depth = 0;
    const seen = new Set([id]);
    for (let parent = parents.get(id); parent != null && parents.has(parent); parent = parents.get(parent)) {
      if (seen.has(parent) || depth === DEPTH_MAX) break;
      seen.add(parent);
      replies.set(parent, (replies.get(parent) ?? 0) + 1);
      depth++;
    }
    return depth;
  });
  return comments.map(({ id }, at) => ({ depth: depths[at] ?? 0, replies: replies.get(id) ?? 0 }));
}

/** What is on; all of it but in comparisons. */
export interface Weighing {
  readonly votes: boolean;
  readonly replies: boolean;
}

/**
 * Weight of each comment's words, around 1: more by the logarithm of its votes and of the replies under it, both against the most
 * in this thread; less by depth and below zero votes.
 */
export function weigh(comments: readonly Comment[], tree: readonly Place[], on: Weighing): number[] {
  const mostVotes = comments.reduce((most, { votes }) => Math.max(most, votes ?? 0), 0);
  const mostReplies = tree.reduce((most, { replies }) => Math.max(most, replies), 0);
  return comments.map(({ votes = 0 }, at) => {
    const { depth, replies } = tree[at] ?? { depth: 0, replies: 0 };
    const liked = on.votes ? 0.5 + logShare(votes, mostVotes) : 1;
    const disliked = on.votes && votes < 0 ? 0.5 : 1;
    const answered = on.replies ? (1 + 0.5 * logShare(replies, mostReplies)) / (1 + 0.1 * Math.min(depth, 10)) : 1;
    return liked * disliked * answered;
  });
}

/** Share left by suspicion, 1 to nearly nothing. */
export const trust = ({ instruction, advertising }: Suspicion): number =>
  (1 - 0.98 * Math.max(instruction, advertising)) ** 2;

const logShare = (value: number, most: number): number =>
  most <= 0 ? 0.5 : Math.log1p(Math.max(0, value)) / Math.log1p(most);
