import { type Comment, SUMMARY_COMMENTS_MAX } from '../../../shared/contract/summary.ts';
import { type Digests, threadDigest } from '../digest.ts';

/** Comments that were edited or removed: a request that was accepted before `until` may not bring another version back. */
export type Held = Readonly<Record<string, { readonly until: number; readonly digest: string | null }>>;

/** A request may wait as a job for so long; after that nothing older can arrive. */
const REMEMBERED_MS = 24 * 3_600_000;
/** Entries of one thread, as many as it may have comments: it is removed as a whole. Past it those that end first go. */
const HELD_MAX = SUMMARY_COMMENTS_MAX;

export function hold(
  held: Held,
  ids: readonly string[],
  until: number,
  digests: Readonly<Record<string, string>>,
): Held {
  // PostgreSQL gives the entries back in an order of its own.
  const kept = Object.entries(held)
    .filter(([, entry]) => entry.until > until - REMEMBERED_MS)
    .sort(([, a], [, b]) => a.until - b.until);
  const added = ids.map((id) => [id, { until, digest: Object.hasOwn(digests, id) ? (digests[id] ?? null) : null }]);
  return Object.fromEntries([...kept, ...added].slice(-HELD_MAX));
}

export interface Usable {
  readonly comments: readonly Comment[];
  readonly digests: Digests;
  readonly seen: string;
}

/** What may be used of a request that was accepted at `acceptedAt`. */
export function usable(
  { comments, digests, acceptedAt }: { comments: readonly Comment[]; digests: Digests; acceptedAt: number },
  held: Held,
): Usable {
  const barred = new Set(
    Object.entries(held)
      .filter(([id, { until, digest }]) => acceptedAt < until && digest !== digests[id])
      .map(([id]) => id),
  );
  if (barred.size === 0) return { comments, digests, seen: threadDigest(digests) };
  const left = Object.fromEntries(Object.entries(digests).filter(([id]) => !barred.has(id)));
  return { comments: comments.filter(({ id }) => !barred.has(id)), digests: left, seen: threadDigest(left) };
}
