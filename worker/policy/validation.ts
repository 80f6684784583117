import type { FreshnessRule } from '../../shared/site.ts';
import { unstorableFields } from './directives.ts';
import { type ExchangeTimes, initialAge } from './freshness.ts';
import { field, type HeaderList, listMembers } from './header-list.ts';
import { parseHttpDate } from './http-date.ts';
import { interpret, type OriginHead, type StoredMeta, storableHeaders, tagsOf } from './stored.ts';

/** Fields of a validation request for a stored response (RFC 9111 §4.3.1); empty when it has no validator. */
export function validationFields(stored: StoredMeta): HeaderList {
  const fields: [string, string][] = [];
  if (stored.validators.etag !== undefined) fields.push(['if-none-match', stored.validators.etag]);
  if (stored.validators.lastModified !== undefined) fields.push(['if-modified-since', stored.validators.lastModified]);
  return fields;
}

const strong = (etag: string | undefined): etag is string => etag?.startsWith('"') === true;
const opaque = (etag: string): string => etag.replace(/^W\//, '');

/** Does this 304 speak of the stored response (RFC 9111 §4.3.4)? One that names another validator does not. */
export function selectsStored(head: OriginHead, stored: StoredMeta): boolean {
  const etag = field(head.headers, 'etag');
  if (etag !== undefined && stored.validators.etag !== undefined) {
    return strong(etag) && strong(stored.validators.etag)
      ? etag === stored.validators.etag
      : opaque(etag) === opaque(stored.validators.etag);
  }
  const lastModified = field(head.headers, 'last-modified');
  return (
    lastModified === undefined ||
    stored.validators.lastModified === undefined ||
    lastModified === stored.validators.lastModified
  );
}

/** Fields that describe the stored body and so never change by a 304 or HEAD (RFC 9111 §3.2). */
const BODY_FIELDS = new Set(['content-length', 'content-encoding', 'content-range', 'transfer-encoding']);

/**
 * The stored response after a 304, or a 200 to HEAD: new fields replace those of the same name, freshness starts
 * again (RFC 9111 §3.2, §4.3.4, §4.3.5).
 */
export function freshen(
  stored: StoredMeta,
  head: OriginHead,
  times: ExchangeTimes,
  rule: FreshnessRule | undefined,
  seq: number,
): StoredMeta {
  const { directives: sent } = interpret(head, times, rule);
  const shown = field(stored.headers, 'etag');
  const update = storableHeaders(head.headers, sent)
    .filter(([name]) => !BODY_FIELDS.has(name) && name !== 'set-cookie')
    // The tag of a body that was decoded is shown weakened, and a 304 is about that same body.
    .map(([name, value]) =>
      name === 'etag' && shown === `W/${value}` ? ([name, shown] as const) : ([name, value] as const),
    );
  const replaced = new Set([...update.map(([name]) => name), ...unstorableFields(sent)]);
  const headers: HeaderList = [...stored.headers.filter(([name]) => !replaced.has(name)), ...update];
  // A targeted field is not stored with the response; where the 304 repeats one it counts, else the stored words do.
  const targeted = head.headers.filter(([name]) => name === 'cloudflare-cdn-cache-control');
  const merged = { status: stored.status, headers: [...headers, ...targeted] };
  const saysFreshness = [
    'cache-control',
    'expires',
    'cdn-cache-control',
    'cloudflare-cdn-cache-control',
    'last-modified',
  ].some((name) => field(head.headers, name) !== undefined);
  const saysTags = ['cache-tag', 'surrogate-key'].some((name) => field(head.headers, name) !== undefined);
  const etag = field(head.headers, 'etag') ?? stored.validators.etag;
  const lastModified = field(head.headers, 'last-modified') ?? stored.validators.lastModified;
  return {
    ...stored,
    headers,
    initialAge: initialAge(head.headers, times),
    responseTime: times.responseTime,
    lifetime: saysFreshness ? interpret(merged, times, rule).lifetime : stored.lifetime,
    validators: { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) },
    tags: saysTags ? tagsOf(head.headers) : stored.tags,
    seq,
  };
}

/** The preconditions of a reader's request. */
export interface Preconditions {
  readonly ifNoneMatch: string | null;
  readonly ifModifiedSince: string | null;
}

function noneMatch(value: string, etag: string | undefined): boolean {
  if (value.trim() === '*') return false;
  if (etag === undefined) return true;
  // Weak comparison (RFC 9110 §13.1.2); opaque tags may hold commas, so members are matched, not split.
  const members = value.match(/(?:W\/)?"[^"]*"/g) ?? listMembers(value);
  return !members.some((member) => opaque(member) === opaque(etag));
}

/** Is 304 the answer to this conditional request, given the selected stored response (RFC 9111 §4.3.2)? */
export function isNotModified(conditions: Preconditions, stored: StoredMeta, now: number): boolean {
  if (stored.status !== 200) return false;
  if (conditions.ifNoneMatch !== null) return !noneMatch(conditions.ifNoneMatch, field(stored.headers, 'etag'));
  if (conditions.ifModifiedSince === null) return false;
  const since = parseHttpDate(conditions.ifModifiedSince, now);
  const modified = parseHttpDate(field(stored.headers, 'last-modified') ?? field(stored.headers, 'date'), now);
  return since !== undefined && modified !== undefined && modified <= since;
}
