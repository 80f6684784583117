/** What a sentence's own worth counts against being like one already chosen. */
export const LAMBDA = 0.7;

/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): the `count` sentences of the highest worth, each judged against
 * those before it. `lambda` 1 is the plain order of worth. Indices in the order of choice; ties go to the earlier sentence.
 */
export function mmr(
  worth: readonly number[],
  alike: (left: number, right: number) => number,
  count: number,
  lambda: number,
): number[] {
  const highest = worth.reduce((most, value) => Math.max(most, value), 0) || 1;
  const nearest = new Float64Array(worth.length);
  const chosen: number[] = [];
  const left = new Set(worth.keys());
  while (chosen.length < count && left.size > 0) {
    let best = -1;
    let bestValue = Number.NEGATIVE_INFINITY;
    for (const at of left) {
      const value = (lambda * (worth[at] ?? 0)) / highest - (1 - lambda) * (nearest[at] ?? 0);
      if (value > bestValue) [best, bestValue] = [at, value];
    }
    chosen.push(best);
    left.delete(best);
    for (const at of left) nearest[at] = Math.max(nearest[at] ?? 0, alike(at, best));
  }
  return chosen;
}
