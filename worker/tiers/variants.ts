import type { StoredResponse } from '../policy/stored.ts';
import { type ReadField, select, selectionKey, selectionMatches } from '../policy/vary.ts';

/** More variants than this of one URL are not kept: an origin that varies on a unique field would fill the cache. */
export const MAX_VARIANTS = 16;
export const MAX_VARY_LISTS = 4;

/** The newest of the responses that the request's fields select (RFC 9111 §4.1). */
export function newestMatch(entries: readonly StoredResponse[], read: ReadField): StoredResponse | undefined {
  let best: StoredResponse | undefined;
  for (const entry of entries) {
    if (entry.selection.names.length > 0 && !selectionMatches(entry.selection, entry.headers, read)) continue;
    if (best === undefined || entry.responseTime >= best.responseTime) best = entry;
  }
  return best;
}

/**
 * What the durable tiers keep at the primary key of a response with `Vary`: the lists of field names seen, and per
 * list the variants, so that a request can compute where its variant would be.
 */
export interface VariantIndex {
  readonly vary: readonly (readonly string[])[];
  /** Suffixes of the variants kept, the latest to come first. Only the archive counts: elsewhere they expire. */
  readonly variants?: readonly string[];
}

/** The index after a response with these names; unchanged (same object) when it knows them already. */
export function indexed(index: VariantIndex | undefined, names: readonly string[]): VariantIndex {
  const lists = index?.vary ?? [];
  const known = lists.some((list) => list.length === names.length && list.every((name, at) => name === names[at]));
  if (known && index) return index;
  return { ...index, vary: [names, ...lists].slice(0, MAX_VARY_LISTS) };
}

/** The index with one more variant, and which ones had to make room; unchanged (same object) when it has it already. */
export function admitted(
  index: VariantIndex,
  suffix: string,
): { readonly next: VariantIndex; readonly dropped: readonly string[] } {
  const known = index.variants ?? [];
  if (known.includes(suffix)) return { next: index, dropped: [] };
  const variants = [suffix, ...known];
  return { next: { ...index, variants: variants.slice(0, MAX_VARIANTS) }, dropped: variants.slice(MAX_VARIANTS) };
}

/** Suffixes of the keys at which this request's variants may be stored. */
export function variantSuffixes(index: VariantIndex, read: ReadField): string[] {
  return index.vary.map((names) => variantSuffix(selectionKey(select(names, read))));
}

/** FNV-1a over UTF-16 code units, twice with different seeds: 64 bits; the full selection is compared after reading. */
export function variantSuffix(key: string): string {
  const hash = (seed: number): string => {
    let h = seed;
    for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
    return (h >>> 0).toString(16).padStart(8, '0');
  };
  return `#v=${hash(0x811c9dc5)}${hash(0x9747b28c)}`;
}
