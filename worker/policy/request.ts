/** What kind of request this is to the cache. Named reasons show up in `Cache-Status`. */
export type RequestClass =
  | { readonly kind: 'storable'; readonly method: 'GET' | 'HEAD' }
  | { readonly kind: 'bypass'; readonly reason: BypassReason }
  | { readonly kind: 'method'; readonly unsafe: boolean };

export type BypassReason = 'cookie' | 'authorization' | 'body' | 'upgrade' | 'precondition' | 'event-stream';

export type ForwardMode = 'keyed' | 'all';

const SAFE_OTHERS = new Set(['OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH']);

/** Names of the cookies in a `Cookie` field. Several fields arrive joined by a comma, which no cookie value may hold (RFC 6265 §4.1.1). */
export function cookieNames(value: string): string[] {
  return value.split(/[;,]/).map((pair) => pair.split('=', 1)[0]?.trim() ?? '');
}

/**
 * Sort a request (RFC 9111 §2, §4). With `keyed` forwarding a request with credentials is personal; with `all` it is
 * the response that says whether it may be shared (RFC 9111 §3.5).
 */
export function classify(
  method: string,
  read: (name: string) => string | null,
  mode: ForwardMode,
  isBypassCookie: (name: string) => boolean,
): RequestClass {
  if (method !== 'GET' && method !== 'HEAD') return { kind: 'method', unsafe: !SAFE_OTHERS.has(method) };
  if (read('upgrade') !== null) return { kind: 'bypass', reason: 'upgrade' };
  const cookie = read('cookie');
  if (cookie !== null && cookieNames(cookie).some(isBypassCookie)) return { kind: 'bypass', reason: 'cookie' };
  if (mode === 'keyed' && read('authorization') !== null) return { kind: 'bypass', reason: 'authorization' };
  const length = read('content-length');
  if ((length !== null && length !== '0') || read('transfer-encoding') !== null)
    return { kind: 'bypass', reason: 'body' };
  if (read('if-match') !== null || read('if-unmodified-since') !== null)
    return { kind: 'bypass', reason: 'precondition' };
  if (read('accept')?.includes('text/event-stream')) return { kind: 'bypass', reason: 'event-stream' };
  return { kind: 'storable', method };
}

/** `only-if-cached` is the one request directive obeyed; the others are advice a reader cannot force on home (RFC 9111 §5.2.1). */
export function onlyIfCached(cacheControl: string | null): boolean {
  return cacheControl !== null && /(^|[\s,])only-if-cached([\s,]|$)/i.test(cacheControl);
}
