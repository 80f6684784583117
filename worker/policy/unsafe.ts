import { field, type HeaderList } from './header-list.ts';

/**
 * Targets an unsafe request invalidates besides its own (RFC 9111 §4.4): `Location` and `Content-Location`, when they
 * are of the same origin. Paths are returned unparsed, relative to `target`.
 */
export function invalidatedBy(status: number, headers: HeaderList, target: URL, publicOrigin: string): readonly URL[] {
  if (status < 200 || status >= 400) return [];
  // Not resolved against the origin: a path that begins with two slashes would name a host of its own.
  const own = new URL(publicOrigin.replace(/\/$/, '') + target.pathname + target.search);
  const found = [own];
  for (const name of ['location', 'content-location']) {
    const value = field(headers, name);
    const url = value === undefined ? undefined : URL.parse(value, own);
    if (url && (url.origin === own.origin || url.origin === target.origin)) found.push(url);
  }
  return found;
}
