/** What a URL is to the cache: the key it is stored under, and the target that is sent to the origin for that key. */
export interface CanonicalTarget {
  /** `<route id>:<path><?query>`; no host and no scheme: a route has one public name, whatever `Host` said. */
  readonly key: string;
  readonly path: string;
  readonly search: string;
}

/** Matches exact names and `beginning*`. */
export function nameMatcher(patterns: readonly string[]): (name: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (name) => exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
}

const UNRESERVED = /[A-Za-z0-9\-._~]/;

/**
 * RFC 3986 §6.2.2: equal triplets are written one way. A segment of dots never comes of it: URL parsing resolved those
 * before. A `%` that begins no triplet is written as one: next to a decoded character it would begin another.
 */
function canonicalEscapes(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9A-Fa-f]{2})?/g, (triplet, hex: string | undefined) => {
    if (hex === undefined) return '%25';
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return UNRESERVED.test(character) ? character : triplet.toUpperCase();
  });
}

/**
 * The query without tracking parameters, sorted by name (order within a name stays). Parameters are split at `&` only
 * and dropped whole, and what is dropped is not forwarded: an origin that also splits at `;` sees nothing unkeyed.
 */
function canonicalSearch(search: string, isTracking: (name: string) => boolean): string {
  if (search.length <= 1) return '';
  const kept = search
    .slice(1)
    .split('&')
    .map(canonicalEscapes)
    .map((pair) => ({ name: pair.split('=', 1)[0] ?? '', pair }))
    .filter(({ name, pair }) => pair !== '' && !isTracking(name));
  if (kept.length === 0) return '';
  kept.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return `?${kept.map(({ pair }) => pair).join('&')}`;
}

/** Canonical form of a parsed URL's path and query, and the key they are stored under. */
export function canonicalTarget(
  routeId: string,
  pathname: string,
  search: string,
  isTracking: (name: string) => boolean,
): CanonicalTarget {
  const path = canonicalEscapes(pathname);
  const query = canonicalSearch(search, isTracking);
  return { key: `${routeId}:${path}${query}`, path, search: query };
}

/** The key of a page whose request fields (all of `keyedHeaders`) are part of it. */
export function withKeyedFields(key: string, fields: readonly (readonly [string, string | null])[]): string {
  const present = fields.filter(([, value]) => value !== null);
  return present.length === 0
    ? key
    : `${key}#h=${present.map(([name, value]) => `${name}:${encodeURIComponent(value ?? '')}`).join('&')}`;
}
