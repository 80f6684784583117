import type { Comment } from '../../../shared/contract/summary.ts';
import { asData } from './clean.ts';
import { add, type Counts, count, estimate, type Rates } from './estimator.ts';

/** A comment, or a part of one that fits no prompt, as a line of a prompt. */
export interface Line {
  readonly number: number;
  readonly text: string;
  readonly counts: Counts;
}

/** `c12>c7: text`: comment 12 answers comment 7. */
export function lineOf(number: number, parent: number | undefined, text: string): Line {
  const line = `c${number}${parent === undefined ? '' : `>c${parent}`}: ${asData(text)}`;
  return { number, text: line, counts: count(`${line}\n`) };
}

/** Reply chains one after the other: a comment, then what answers it, before the next. Parents that are not here begin a chain. */
export function chains(comments: readonly Comment[]): readonly (readonly Comment[])[] {
  const here = new Set(comments.map(({ id }) => id));
  const replies = new Map<string, Comment[]>();
  const roots: Comment[] = [];
  for (const comment of comments) {
    const { id, parentId } = comment;
    if (parentId == null || parentId === id || !here.has(parentId)) roots.push(comment);
    else replies.set(parentId, [...(replies.get(parentId) ?? []), comment]);
  }
  const seen = new Set<string>();
  const walk = (root: Comment): Comment[] => {
    const found: Comment[] = [];
    const open = [root];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next.id)) continue;
      seen.add(next.id);
      found.push(next);
      open.push(...(replies.get(next.id) ?? []).toReversed());
    }
    return found;
  };
  const found = roots.map(walk);
  // Comments that answer each other in a circle have no root.
  for (const comment of comments) if (!seen.has(comment.id)) found.push(walk(comment));
  return found;
}

/** The first chains that fit, whole where one fits at all; at least one line. */
export function takeLines(
  queue: readonly (readonly Line[])[],
  budget: number,
  rates: Rates,
): { readonly taken: readonly Line[]; readonly rest: readonly (readonly Line[])[] } {
  let taken: Line[] = [];
  let counts = count('');
  for (const [index, chain] of queue.entries()) {
    const all = chain.reduce((sum, line) => add(sum, line.counts), counts);
    if (estimate(all, rates) <= budget) {
      taken = taken.concat(chain);
      counts = all;
      continue;
    }
    if (taken.length > 0 && chain.length <= taken.length) return { taken, rest: queue.slice(index) };
    const fits = lead(chain, counts, budget, rates);
    const here = Math.max(fits, taken.length === 0 ? 1 : 0);
    const rest = chain.slice(here);
    const later = queue.slice(index + 1);
    return { taken: taken.concat(chain.slice(0, here)), rest: rest.length > 0 ? [rest, ...later] : later };
  }
  return { taken, rest: [] };
}

function lead(chain: readonly Line[], from: Counts, budget: number, rates: Rates): number {
  let counts = from;
  for (const [index, line] of chain.entries()) {
    counts = add(counts, line.counts);
    if (estimate(counts, rates) > budget) return index;
  }
  return chain.length;
}

/** Lines as prompts hold them, a line too long for one cut in parts that each name the comment. Nothing is left out. */
export function splitLine(line: Line, budget: number, rates: Rates): readonly Line[] {
  if (estimate(line.counts, rates) <= budget) return [line];
  const chars = [...line.text];
  if (chars.length < 16) return [line];
  const half = chars.length >> 1;
  const space = chars.lastIndexOf(' ', half);
  const at = space > half / 2 ? space : half;
  const part = (text: string): Line => ({ number: line.number, text, counts: count(`${text}\n`) });
  const second = `c${line.number}: ${chars.slice(at).join('').trim()}`;
  return [part(chars.slice(0, at).join('')), part(second)].flatMap((one) => splitLine(one, budget, rates));
}

export const totalOf = (lines: readonly Line[]): Counts =>
  lines.reduce((sum, line) => add(sum, line.counts), count(''));
