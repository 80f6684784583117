/**
 * The syntax of `Cache-Control` (RFC 9111 §5.2): names are case-insensitive, values are tokens or quoted strings.
 * Only syntax: what a directive means is decided in `directives.ts`. A member that does not parse is skipped alone.
 */
export type CacheControl = ReadonlyMap<string, string | true>;

const MEMBER = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z]+)))?\s*(?=,|$)/y;
const SKIP = /(?:"(?:[^"\\]|\\.)*"|[^,"]|")*/y;
const SEPARATORS = /[\s,]*/y;

/** Directives by lower-case name. Of repeated directives the first counts (RFC 9111 §4.2.1). */
export function parseCacheControl(value: string | undefined): CacheControl {
  const directives = new Map<string, string | true>();
  if (value === undefined) return directives;
  let at = 0;
  while (at < value.length) {
    at += matchAt(SEPARATORS, value, at)?.[0].length ?? 0;
    const member = matchAt(MEMBER, value, at);
    if (!member) {
      at += Math.max(1, matchAt(SKIP, value, at)?.[0].length ?? 1);
      continue;
    }
    at += member[0].length;
    const name = (member[1] ?? '').toLowerCase();
    if (!directives.has(name)) directives.set(name, member[2]?.replace(/\\(.)/g, '$1') ?? member[3] ?? true);
  }
  return directives;
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** delta-seconds (RFC 9111 §1.2.2): capped where arithmetic stays exact; undefined when it is not a whole number. */
export function deltaSeconds(value: string | true | undefined): number | undefined {
  if (typeof value !== 'string' || !/^\d+$/.test(value)) return undefined;
  return Math.min(Number(value), 2 ** 40);
}
