import type { SiteConfig } from '../../shared/site.ts';
import type { InvalidationRequest } from '../ledger/ledger.ts';
import { canonicalTarget, nameMatcher } from '../policy/cache-key.ts';
import type { InvalidationMode } from '../policy/invalidation.ts';

export interface PurgeCommand {
  readonly items: readonly InvalidationRequest[];
  readonly mode: InvalidationMode;
  readonly id?: string;
  /** URLs as given, for warming. */
  readonly urls: readonly string[];
}

export interface FieldError {
  readonly code: string;
  readonly field: string;
  readonly message: string;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: FieldError };

export const MAX_ITEMS = 1000;
const MAX_TAG_LENGTH = 1024;
const KNOWN = new Set(['tags', 'prefixes', 'urls', 'everything', 'mode', 'id']);

const bad = (field: string, message: string): { ok: false; error: FieldError } => ({
  ok: false,
  error: { code: 'invalid_request', field, message },
});

function strings(body: Record<string, unknown>, field: string): Parsed<readonly string[]> {
  const value = body[field];
  if (value === undefined) return { ok: true, value: [] };
  if (!Array.isArray(value)) return bad(field, `${field} must be an array of strings.`);
  const wrong = value.findIndex((item) => typeof item !== 'string' || item === '');
  return wrong < 0
    ? { ok: true, value: value as string[] }
    : bad(`${field}[${wrong}]`, `${field}[${wrong}] must be a non-empty string.`);
}

/** Routes whose pages are stored: what a path without host may mean. */
function cachedRoutes(site: SiteConfig): readonly string[] {
  return site.routes.filter(({ cache }) => cache).map(({ id }) => id);
}

function routesOf(site: SiteConfig, host: string): readonly string[] {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const known = site.routes.filter(({ cache, hosts, to }) => {
    const publicHost = site.upstreams[to]?.publicOrigin.split('://')[1]?.replace(/:\d+$/, '');
    return cache && (hosts.includes(name) || hosts.includes('*') || publicHost === name);
  });
  return known.map(({ id }) => id);
}

/** The cache keys (or beginnings of keys) an absolute URL or a path means. */
export function keysFor(site: SiteConfig, text: string, isPrefix: boolean): readonly string[] | undefined {
  const absolute = /^https?:\/\//i.test(text);
  if (!absolute && !text.startsWith('/')) return undefined;
  const url = URL.parse(absolute ? text : `http://path.invalid${text}`);
  if (url === null) return undefined;
  const routes = absolute ? routesOf(site, url.host) : cachedRoutes(site);
  const isTracking = isPrefix ? () => false : nameMatcher(site.trackingParameters);
  return routes.map((id) => canonicalTarget(id, url.pathname, url.search, isTracking).key);
}

function located(
  site: SiteConfig,
  field: string,
  values: readonly string[],
  kind: 'url' | 'prefix',
): Parsed<readonly InvalidationRequest[]> {
  const items: InvalidationRequest[] = [];
  for (const [index, text] of values.entries()) {
    const keys = keysFor(site, text, kind === 'prefix');
    if (keys === undefined)
      return bad(
        `${field}[${index}]`,
        `${field}[${index}] must be an absolute http(s) URL or a path that begins with "/".`,
      );
    if (keys.length === 0)
      return bad(`${field}[${index}]`, `${field}[${index}] names a host that is not a cached site here.`);
    items.push(...keys.map((value) => ({ kind, value })));
  }
  return { ok: true, value: items };
}

/** Validate a purge. The first wrong field is named; nothing is done unless all of it is right. */
export function parsePurge(body: unknown, site: SiteConfig): Parsed<PurgeCommand> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return bad('', 'The body must be a JSON object.');
  const record = body as Record<string, unknown>;
  const unknown = Object.keys(record).find((key) => !KNOWN.has(key));
  if (unknown !== undefined)
    return bad(unknown, `"${unknown}" is not a field of a purge; known: ${[...KNOWN].join(', ')}.`);
  const { everything, mode = 'invalidate', id } = record;
  if (mode !== 'invalidate' && mode !== 'delete') return bad('mode', 'mode must be "invalidate" or "delete".');
  if (everything !== undefined && typeof everything !== 'boolean')
    return bad('everything', 'everything must be true or false.');
  if (id !== undefined && (typeof id !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(id)))
    return bad('id', 'id must be 1 to 200 printable characters without spaces.');
  const tags = strings(record, 'tags');
  if (!tags.ok) return tags;
  const wrongTag = tags.value.findIndex((tag) => tag.length > MAX_TAG_LENGTH || /[\s,]/.test(tag));
  if (wrongTag >= 0)
    return bad(
      `tags[${wrongTag}]`,
      `tags[${wrongTag}] must have at most ${MAX_TAG_LENGTH} characters, no comma and no white space.`,
    );
  const prefixes = strings(record, 'prefixes');
  if (!prefixes.ok) return prefixes;
  const urls = strings(record, 'urls');
  if (!urls.ok) return urls;
  const count = tags.value.length + prefixes.value.length + urls.value.length;
  if (count > MAX_ITEMS) return bad('', `A purge takes at most ${MAX_ITEMS} items, not ${count}; send several.`);
  if (count === 0 && everything !== true)
    return bad('', 'Nothing to purge: give tags, prefixes, urls or everything: true.');
  const byPrefix = located(site, 'prefixes', prefixes.value, 'prefix');
  if (!byPrefix.ok) return byPrefix;
  const byUrl = located(site, 'urls', urls.value, 'url');
  if (!byUrl.ok) return byUrl;
  const all: readonly InvalidationRequest[] = everything === true ? [{ kind: 'everything', value: '' }] : [];
  const items = [
    ...all,
    ...tags.value.map((value) => ({ kind: 'tag' as const, value })),
    ...byPrefix.value,
    ...byUrl.value,
  ];
  return { ok: true, value: { items, mode, urls: urls.value, ...(id === undefined ? {} : { id: id as string }) } };
}
