import { NAME } from '../posts/front-matter-fields.ts';

/** What kind of answer this is, as far as a cache is concerned. */
export type Cacheability = 'page' | 'immutable' | 'stable-asset' | 'missing' | 'redirect' | 'never';

const DIRECTIVES: Readonly<Record<Cacheability, string>> = {
  // Fresh for a minute, refreshed behind the reader's back for a day, kept for a month of outage: RFC 5861.
  page: 'public, max-age=60, stale-while-revalidate=86400, stale-if-error=2592000',
  // The address names the content: RFC 8246.
  immutable: 'public, max-age=31536000, immutable',
  'stable-asset': 'public, max-age=300, stale-while-revalidate=86400, stale-if-error=2592000',
  // Short: a post that is published in a moment must not stay "not found".
  missing: 'public, max-age=10',
  redirect: 'public, max-age=300',
  never: 'no-store',
};

export function cacheControl(kind: Cacheability): string {
  return DIRECTIVES[kind];
}

/** What a page shows, in the terms of the tags that purge it. */
export interface Shown {
  readonly post?: string;
  readonly image?: string;
  readonly tags?: Iterable<string>;
  /** The page is a listing: it changes whenever anything is published. */
  readonly list?: boolean;
}

/** `Cache-Tag: list,tag:caching`. Each tag once, in a fixed order; nothing that is not a plain name gets in. */
export function cacheTags(shown: Shown): string {
  const tags: string[] = [];
  if (shown.list) tags.push('list');
  if (shown.post !== undefined && NAME.test(shown.post)) tags.push(`post:${shown.post}`);
  if (shown.image !== undefined) tags.push(`image:${shown.image.replace(/[^\w./-]/g, '_')}`);
  const names = [...new Set(shown.tags ?? [])].filter((name) => NAME.test(name));
  return [...tags, ...names.sort().map((name) => `tag:${name}`)].join(',');
}
