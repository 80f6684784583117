import type { Similarities } from './vectors.ts';

const DAMPING = 0.85;
/** Similarities below are chance. */
const THRESHOLD = 0.05;
const ITERATIONS_MAX = 60;
const TOLERANCE = 1e-6;

/**
 * Continuous LexRank (Erkan and Radev, "LexRank: Graph-based Lexical Centrality as Salience in Text Summarization", JAIR 22, 2004):
 * the stationary distribution of a walk along similar sentences that now and then starts anew, there by `prior` (any positive
 * weights). Power iteration, bounded; sums to one.
 */
export function lexRank(similar: Similarities, prior: readonly number[]): number[] {
  const total = prior.reduce((sum, weight) => sum + weight, 0) || 1;
  const start = Float64Array.from(prior, (weight) => weight / total);
  const edges = edgesOf(similar);
  let rank = Float64Array.from(start);
  for (let iteration = 0; iteration < ITERATIONS_MAX; iteration++) {
    const next = step(edges, rank, start);
    const change = next.reduce((sum, value, at) => sum + Math.abs(value - (rank[at] ?? 0)), 0);
    rank = next;
    if (change < TOLERANCE) break;
  }
  return [...rank];
}

/** Neighbours of one sentence, with shares that sum to one; none where it is like no other. */
interface Edges {
  readonly to: Int32Array;
  readonly share: Float64Array;
}

function edgesOf(similar: Similarities): Edges[] {
  return Array.from({ length: similar.size }, (_, row) => {
    const to: number[] = [];
    const weights: number[] = [];
    let degree = 0;
    for (let column = 0; column < similar.size; column++) {
      const weight = column === row ? 0 : similar.at(row, column);
      if (weight < THRESHOLD) continue;
      to.push(column);
      weights.push(weight);
      degree += weight;
    }
    return { to: Int32Array.from(to), share: Float64Array.from(weights, (weight) => weight / degree) };
  });
}

/** One step of the walk; a sentence like no other leads back to the start. */
function step(edges: readonly Edges[], rank: Float64Array, start: Float64Array): Float64Array<ArrayBuffer> {
  const next = new Float64Array(rank.length);
  let dangling = 0;
  for (const [from, { to, share }] of edges.entries()) {
    const mass = rank[from] ?? 0;
    if (to.length === 0) dangling += mass;
    for (let at = 0; at < to.length; at++) {
      const target = to[at] ?? 0;
      next[target] = (next[target] ?? 0) + DAMPING * mass * (share[at] ?? 0);
    }
  }
  for (const [at, fresh] of start.entries()) next[at] = (next[at] ?? 0) + (1 - DAMPING + DAMPING * dangling) * fresh;
  return next;
}
