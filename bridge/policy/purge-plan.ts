import { PURGE_ITEMS_MAX, type PurgeMode, type PurgeRequest } from '../../shared/contract/purge.ts';

/** A purge as the outbox holds it. */
export interface QueuedPurge {
  readonly seq: number;
  readonly body: PurgeRequest;
}

/** Several purges in one call. */
export interface PurgeCall {
  readonly mode: PurgeMode;
  readonly everything: boolean;
  readonly tags: readonly string[];
  readonly prefixes: readonly string[];
  readonly urls: readonly string[];
}

export interface WarmCall {
  readonly urls: readonly string[];
  readonly sitemaps: readonly string[];
}

/** How far a batch reaches, and what it says. */
export interface Batch<Call> {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly purges: number;
  readonly call: Call;
}

/**
 * The longest beginning of the queue that fits one call: purges of one mode, no more different items than a call may carry.
 * Order is kept because only neighbours are joined; joining loses nothing because a purge is the union of its items, and
 * "everything" swallows its neighbours' items. Items named twice count once.
 */
export function planPurges(queue: readonly QueuedPurge[], itemsMax = PURGE_ITEMS_MAX): Batch<PurgeCall> | null {
  const first = queue[0];
  if (!first) return null;
  const { mode } = first.body;
  const tags = new Set<string>();
  const prefixes = new Set<string>();
  const urls = new Set<string>();
  let everything = false;
  let taken = 0;
  let last = first;
  for (const purge of queue) {
    const { body } = purge;
    if (body.mode !== mode) break;
    const added = fresh(tags, body.tags) + fresh(prefixes, body.prefixes) + fresh(urls, body.urls);
    if (taken > 0 && !everything && tags.size + prefixes.size + urls.size + added > itemsMax) break;
    everything ||= body.everything === true;
    if (!everything) {
      for (const tag of body.tags ?? []) tags.add(tag);
      for (const prefix of body.prefixes ?? []) prefixes.add(prefix);
      for (const url of body.urls ?? []) urls.add(url);
    }
    last = purge;
    taken++;
  }
  const items = everything
    ? { tags: [], prefixes: [], urls: [] }
    : { tags: [...tags], prefixes: [...prefixes], urls: [...urls] };
  return { firstSeq: first.seq, lastSeq: last.seq, purges: taken, call: { mode, everything, ...items } };
}

/** What to warm after a stretch of purges: each page once, however many purges named it. */
export function planWarming(queue: readonly QueuedPurge[], urlsMax = PURGE_ITEMS_MAX): Batch<WarmCall> | null {
  const first = queue[0];
  if (!first) return null;
  const urls = new Set<string>();
  const sitemaps = new Set<string>();
  let taken = 0;
  let last = first;
  for (const purge of queue) {
    const { warm } = purge.body;
    const pages = warm === true ? (purge.body.urls ?? []) : (warm?.urls ?? []);
    const sitemap = warm === true ? undefined : warm?.sitemap;
    if (taken > 0 && urls.size + sitemaps.size + fresh(urls, pages) + (sitemap === undefined ? 0 : 1) > urlsMax) break;
    for (const page of pages) urls.add(page);
    if (sitemap !== undefined) sitemaps.add(sitemap);
    last = purge;
    taken++;
  }
  const call = { urls: [...urls], sitemaps: [...sitemaps] };
  return { firstSeq: first.seq, lastSeq: last.seq, purges: taken, call };
}

const fresh = (known: ReadonlySet<string>, items: readonly string[] = []) =>
  new Set(items.filter((item) => !known.has(item))).size;
