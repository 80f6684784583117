import { field, type HeaderList } from './header-list.ts';

/** One requested range of a `bytes` range set (RFC 9110 §14.1.2). */
export type RangeSpec = { readonly first: number; readonly last?: number } | { readonly suffix: number };

/** A satisfiable range: inclusive byte positions. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** More ranges than this in one request are an attack on the server, not a reader (RFC 9110 §17.15). */
const MAX_RANGES = 8;

/** The range set, or undefined when the field is absent, of another unit, malformed or abusive: then it is ignored. */
export function parseRange(value: string | null): readonly RangeSpec[] | undefined {
  if (value === null) return undefined;
  const set = /^bytes=(.+)$/i.exec(value.trim())?.[1];
  if (set === undefined) return undefined;
  const specs: RangeSpec[] = [];
  for (const part of set.split(',')) {
    const match = /^[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/.exec(part);
    if (!match) return undefined;
    const [, from = '', to = ''] = match;
    if (from === '' && to === '') return undefined;
    if (from === '') specs.push({ suffix: Number(to) });
    else if (to === '') specs.push({ first: Number(from) });
    else if (Number(to) < Number(from)) return undefined;
    else specs.push({ first: Number(from), last: Number(to) });
  }
  return specs.length > MAX_RANGES ? undefined : specs;
}

/** Is this one range all of a representation, whatever its length, or of one of `size` bytes? */
export function isWhole(value: string | null, size?: number): boolean {
  const [spec, ...more] = parseRange(value) ?? [];
  if (spec === undefined || more.length > 0 || !('first' in spec) || spec.first !== 0) return false;
  return spec.last === undefined || (size !== undefined && spec.last >= size - 1);
}

function resolve(spec: RangeSpec, size: number): ByteRange | undefined {
  if ('suffix' in spec)
    return spec.suffix === 0 || size === 0 ? undefined : { first: Math.max(0, size - spec.suffix), last: size - 1 };
  if (spec.first >= size) return undefined;
  return { first: spec.first, last: Math.min(spec.last ?? size - 1, size - 1) };
}

/**
 * The satisfiable ranges of a representation of `size` bytes; an empty list means 416. Those that overlap or touch are
 * one, in the place of the first of them (RFC 9110 §15.3.7.2), so that an answer is never longer than the whole.
 */
export function satisfiable(specs: readonly RangeSpec[], size: number): readonly ByteRange[] {
  const ranges = specs.map((spec) => resolve(spec, size)).filter((range) => range !== undefined);
  const merged: ByteRange[] = [];
  for (const range of ranges) {
    let { first, last } = range;
    let place = merged.length;
    for (let at = merged.length - 1; at >= 0; at--) {
      const other = merged[at];
      if (other === undefined || other.first > last + 1 || other.last < first - 1) continue;
      first = Math.min(first, other.first);
      last = Math.max(last, other.last);
      merged.splice(at, 1);
      place = at;
    }
    merged.splice(place, 0, { first, last });
  }
  return merged;
}

/** `Content-Range` of a 206 (RFC 9110 §14.4). `complete` is absent where the origin did not know the length. */
export interface ContentRange extends ByteRange {
  readonly complete?: number;
}

/** undefined when absent or invalid (last before first, or beyond the complete length). */
export function parseContentRange(headers: HeaderList): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(field(headers, 'content-range') ?? '');
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  const complete = match[3] === '*' ? undefined : Number(match[3]);
  if (last < first || (complete !== undefined && last >= complete)) return undefined;
  return complete === undefined ? { first, last } : { first, last, complete };
}

/**
 * The bytes of a stored part that answer one requested range, as offsets into the part's own body, or undefined when
 * the part does not cover it. Open-ended and suffix ranges are covered only by a part that reaches the end.
 */
export function withinPart(spec: RangeSpec, part: ContentRange, length: number): ByteRange | undefined {
  const reachesEnd = part.complete !== undefined && part.last === part.complete - 1;
  if ('suffix' in spec) {
    if (!reachesEnd || spec.suffix === 0 || spec.suffix > length) return undefined;
    return { first: length - spec.suffix, last: length - 1 };
  }
  const first = spec.first - part.first;
  const last = spec.last === undefined ? length - 1 : spec.last - part.first;
  if (first < 0 || last >= length || first > last || (spec.last === undefined && !reachesEnd)) return undefined;
  return { first, last };
}

/** Does `If-Range` allow a partial answer (RFC 9110 §13.1.5)? Only a strong match does. */
export function ifRangeHolds(
  ifRange: string | null,
  etag: string | undefined,
  lastModified: string | undefined,
): boolean {
  if (ifRange === null) return true;
  const value = ifRange.trim();
  if (value.startsWith('"')) return value === etag;
  return !value.startsWith('W/') && value === lastModified;
}

/** Part headers and delimiters of a `multipart/byteranges` body (RFC 9110 §14.6). */
export function multipart(
  body: Uint8Array,
  ranges: readonly ByteRange[],
  type: string | undefined,
  boundary: string,
): Uint8Array {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  for (const { first, last } of ranges) {
    const contentType = type === undefined ? '' : `Content-Type: ${type}\r\n`;
    pieces.push(
      encoder.encode(`\r\n--${boundary}\r\n${contentType}Content-Range: bytes ${first}-${last}/${body.length}\r\n\r\n`),
    );
    pieces.push(body.subarray(first, last + 1));
  }
  pieces.push(encoder.encode(`\r\n--${boundary}--\r\n`));
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
