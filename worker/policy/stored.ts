import type { FreshnessRule } from '../../shared/site.ts';
import type { ResponseDirectives } from './directives.ts';
import { responseDirectives, unstorableFields } from './directives.ts';
import { type ExchangeTimes, initialAge, type Lifetime, lifetimeOf } from './freshness.ts';
import { CONNECTION_FIELDS, field, type HeaderList, listMembers, without } from './header-list.ts';
import { type ContentRange, parseContentRange } from './range.ts';
import { NO_SELECTION, type ReadField, type Selection, select, varyNames } from './vary.ts';

/** Everything known of a stored response but its body. Plain data, JSON-safe: it is what the tiers keep. */
export interface StoredMeta {
  /** Primary cache key (see cache-key.ts). */
  readonly key: string;
  readonly selection: Selection;
  readonly status: number;
  /** As stored: no hop-by-hop fields, no `Age`, no surrogate fields, no coding that was undone. */
  readonly headers: HeaderList;
  /** Set for a stored 206: which bytes of the representation the body is. */
  readonly part?: ContentRange;
  readonly initialAge: number;
  /** When it was received or last validated, ms. */
  readonly responseTime: number;
  readonly lifetime: Lifetime;
  /** The origin's validators, as it sent them (a decoded body shows a weakened `ETag` to readers). */
  readonly validators: { readonly etag?: string; readonly lastModified?: string };
  readonly tags: readonly string[];
  /** The ledger's sequence number when its fetch began: an invalidation with a higher number is news to it. */
  readonly seq: number;
  /** SHA-256 of the body, base64url; the archive is not written again while it stays. */
  readonly bodyHash: string;
  /** The archive is known to have it: a write that failed, or was cut off, is made up for by the next validation. */
  readonly archived?: boolean;
}

export interface StoredResponse extends StoredMeta {
  readonly body: Uint8Array;
}

/** Fields that belong to one connection (RFC 9110 §7.6.1) or to one exchange, and never to a stored response. */
const NEVER_STORED = new Set([
  ...CONNECTION_FIELDS,
  'age',
  'cache-status',
  'server-timing',
  'cloudflare-cdn-cache-control',
  'surrogate-control',
  // Tags are kept beside the headers; readers have no use for them (Cloudflare strips them too).
  'cache-tag',
  'surrogate-key',
]);

/** Codings the runtime has undone by the time a script reads the body: by these very names, in this case only. */
const DECODED = new Set(['gzip', 'br']);

export interface OriginHead {
  readonly status: number;
  readonly headers: HeaderList;
}

export interface Interpretation {
  readonly directives: ResponseDirectives;
  readonly lifetime: Lifetime;
}

/** The origin's directives and the lifetime they give, for storability and storing alike. */
export function interpret(head: OriginHead, times: ExchangeTimes, rule: FreshnessRule | undefined): Interpretation {
  const directives = responseDirectives(head.headers);
  return { directives, lifetime: lifetimeOf(head.status, head.headers, directives, times, rule) };
}

/** Was the body encoded on the wire, and decoded before we saw it? */
export function isDecoded(headers: HeaderList): boolean {
  return DECODED.has(field(headers, 'content-encoding') ?? '');
}

/** The fields of a response that may be stored (RFC 9111 §3.1), describing the body as a script sees it. */
export function storableHeaders(headers: HeaderList, directives: ResponseDirectives): HeaderList {
  const named = new Set([
    ...NEVER_STORED,
    ...listMembers(field(headers, 'connection')?.toLowerCase()),
    ...unstorableFields(directives),
  ]);
  const kept = without(headers, named);
  if (!isDecoded(headers)) return kept;
  return without(kept, new Set(['content-encoding', 'content-length'])).map(([name, value]) =>
    name === 'etag' && value.startsWith('"') ? [name, `W/${value}`] : [name, value],
  );
}

/** Cache tags of a response: `Cache-Tag`, comma-separated (Cloudflare), or `Surrogate-Key`, space-separated (Fastly). */
export function tagsOf(headers: HeaderList): readonly string[] {
  const tags = listMembers(field(headers, 'cache-tag'));
  const keys = (field(headers, 'surrogate-key') ?? '').split(' ').filter((key) => key !== '');
  return [...new Set([...tags, ...keys])];
}

/**
 * Describe a response for storing. The body hash is filled in once the body is complete. `read` is undefined where the
 * key already holds every field that was forwarded: then nothing is left for `Vary` to select by.
 */
export function describe(
  key: string,
  head: OriginHead,
  times: ExchangeTimes,
  interpretation: Interpretation,
  read: ReadField | undefined,
  seq: number,
): Omit<StoredMeta, 'bodyHash'> {
  const etag = field(head.headers, 'etag');
  const lastModified = field(head.headers, 'last-modified');
  const part = head.status === 206 ? parseContentRange(head.headers) : undefined;
  return {
    key,
    selection: read === undefined ? NO_SELECTION : select(varyNames(head.headers), read),
    status: head.status,
    headers: storableHeaders(head.headers, interpretation.directives),
    ...(part === undefined ? {} : { part }),
    initialAge: initialAge(head.headers, times),
    responseTime: times.responseTime,
    lifetime: interpretation.lifetime,
    validators: { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) },
    tags: tagsOf(head.headers),
    seq,
  };
}
