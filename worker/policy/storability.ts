import type { ResponseDirectives } from './directives.ts';
import { unstorableFields } from './directives.ts';
import type { Lifetime } from './freshness.ts';
import { field, type HeaderList, listMembers } from './header-list.ts';

/** Why a response is not stored. Each reason is one of RFC 9111 §3's conditions, or one of this cache's own refusals. */
export type NotStored =
  | 'method'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'set-cookie'
  | 'vary-star'
  | 'must-understand'
  | 'status'
  | 'no-freshness'
  | 'no-validator'
  | 'cookie-without-freshness'
  | 'event-stream'
  | 'too-large'
  | 'partial-invalid'
  | 'if-range';

export type Storability = { readonly store: true } | { readonly store: false; readonly reason: NotStored };

export interface StorabilityInput {
  readonly method: string;
  readonly requestHasAuthorization: boolean;
  readonly requestHasCookie: boolean;
  readonly status: number;
  readonly headers: HeaderList;
  readonly directives: ResponseDirectives;
  readonly lifetime: Lifetime;
}

/** Final status codes whose caching requirements this cache implements (RFC 9111 §3, `must-understand`). */
const UNDERSTOOD = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 400, 404, 405, 410, 414, 500, 501, 502, 503, 504,
]);

function refuse(reason: NotStored): Storability {
  return { store: false, reason };
}

function authorised(directives: ResponseDirectives): boolean {
  // RFC 9111 §3.5: only these directives let a shared cache keep what an authorised request was given.
  return directives.public || directives.mustRevalidate || directives.sMaxage !== undefined;
}

/**
 * Does an answer that may not be stored take back the page that was? Only the page itself does, or its validation: an
 * error or a redirect that forbids storing says nothing of the page, and neither does a cookie.
 */
export function takesBack(status: number, reason: NotStored): boolean {
  return (status === 200 || status === 203 || status === 304) && (reason === 'private' || reason === 'no-store');
}

/** May a shared cache store this response (RFC 9111 §3)? */
export function storability(input: StorabilityInput): Storability {
  const { directives, headers, lifetime, status } = input;
  if (input.method !== 'GET') return refuse('method');
  if (status < 200 || status === 304) return refuse('status');
  if (directives.mustUnderstand && !UNDERSTOOD.has(status)) return refuse('must-understand');
  // RFC 9111 §5.2.2.3: a cache that implements must-understand ignores no-store beside it.
  if (directives.noStore && !directives.mustUnderstand) return refuse('no-store');
  if (directives.private === true) return refuse('private');
  if (input.requestHasAuthorization && !authorised(directives)) return refuse('authorization');
  // RFC 9111 §7.3 leaves Set-Cookie to the cache. A shared cache that replays one reader's cookie to another is a leak.
  if (field(headers, 'set-cookie') !== undefined && !unstorableFields(directives).includes('set-cookie')) {
    return refuse('set-cookie');
  }
  if (listMembers(field(headers, 'vary')).includes('*')) return refuse('vary-star');
  if (field(headers, 'content-type')?.startsWith('text/event-stream')) return refuse('event-stream');
  if (lifetime.from === 'rule' || lifetime.from === 'heuristic' || lifetime.from === 'none') {
    // Nothing but a guess says this may be shared, and the request carried a cookie that may have shaped it.
    if (input.requestHasCookie && !directives.public) return refuse('cookie-without-freshness');
  }
  const validated = field(headers, 'etag') !== undefined || field(headers, 'last-modified') !== undefined;
  if (lifetime.always && !validated) return refuse('no-validator');
  // A failure is not worth validating: only freshness it was given explicitly lets it be kept at all.
  if (lifetime.from === 'none' && (!validated || status >= 400)) return refuse('no-freshness');
  return { store: true };
}
