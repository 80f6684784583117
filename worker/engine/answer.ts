import { type CacheOutcome, cacheStatus } from '../policy/cache-status.ts';
import { field, type HeaderList } from '../policy/header-list.ts';
import {
  type ByteRange,
  ifRangeHolds,
  isWhole,
  multipart,
  parseRange,
  satisfiable,
  withinPart,
} from '../policy/range.ts';
import type { StoredMeta, StoredResponse } from '../policy/stored.ts';
import { isNotModified } from '../policy/validation.ts';
import type { Keep, Page } from './page.ts';

/** Fields a 304 leaves out, so as not to contradict what the reader has (RFC 9110 §15.4.5). */
const NOT_IN_304 = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'transfer-encoding',
]);
const BODILESS = new Set([204, 205, 304]);
/** Defaults of a careful site; an origin that sets one of them is believed. */
const SECURITY: HeaderList = [
  ['x-content-type-options', 'nosniff'],
  ['referrer-policy', 'strict-origin-when-cross-origin'],
];

export interface Answered {
  readonly outcome: CacheOutcome;
  readonly age: number;
  /** Where it came from and what that cost, for `Server-Timing`. */
  readonly timing: string;
  readonly extra?: HeaderList;
}

/**
 * The fields of an answer: what is stored, the careful defaults where they are not set, and what is true of this answer alone (never
 * among the stored, see `NEVER_STORED`). Appended one by one: the constructor over a list of pairs takes seven times as long.
 */
export function answerHeaders(stored: HeaderList, answered: Answered, secure: boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of stored) headers.append(name, value);
  for (const [name, value] of SECURITY) if (field(stored, name) === undefined) headers.append(name, value);
  if (secure && field(stored, 'strict-transport-security') === undefined) {
    headers.append('strict-transport-security', 'max-age=31536000');
  }
  headers.append('age', String(Math.max(0, Math.floor(answered.age))));
  headers.append('cache-status', cacheStatus(answered.outcome));
  headers.append('server-timing', answered.timing);
  for (const [name, value] of answered.extra ?? []) headers.set(name, value);
  return headers;
}

/** Server-Timing (W3C): where the answer came from. A Worker's clock stands still between I/O, so no durations are made up. */
export function timing(outcome: CacheOutcome): string {
  const how = outcome.hit === true ? (outcome.detail ?? 'hit') : (outcome.fwd ?? 'miss');
  return `cache;desc="${how.replaceAll('"', '')}"`;
}

/** Larger bodies go out in pieces of this size: the runtime copies what it is handed, for each reader anew. */
const PIECE_BYTES = 65_536;

/** A stored body for one reader. */
export function bodyOf(bytes: Uint8Array): BodyInit {
  const { byteLength } = bytes;
  if (byteLength <= 16 * PIECE_BYTES) return bytes;
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      expectedLength: byteLength,
      pull(controller) {
        controller.enqueue(bytes.slice(at, at + PIECE_BYTES));
        at += PIECE_BYTES;
        if (at >= byteLength) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The plain answer: the whole representation, or only its head. */
export function wholeAnswer(meta: StoredMeta, body: BodyInit | null, headers: Headers, method: string): Response {
  const bodiless = method === 'HEAD' || BODILESS.has(meta.status);
  return new Response(bodiless ? null : body, { status: meta.status, headers });
}

/** The body with its length announced, where it is known: readers see progress, and a short one shows as broken. */
export function sized(body: ReadableStream<Uint8Array>, meta: StoredMeta, keep: Keep): ReadableStream<Uint8Array> {
  const length = field(meta.headers, 'content-length');
  if (length === undefined || !/^\d+$/.test(length)) return body;
  const { readable, writable } = new FixedLengthStream(Number(length));
  keep(body.pipeTo(writable).catch(() => undefined));
  return readable;
}

export function notModified(headers: Headers): Response {
  for (const name of NOT_IN_304) headers.delete(name);
  return new Response(null, { status: 304, headers });
}

/** Does the reader's copy equal the stored response? */
export function isReaderCurrent(page: Page, meta: StoredMeta, now: number): boolean {
  return isNotModified(page.conditions, meta, now);
}

function single(entry: StoredResponse, range: ByteRange, headers: Headers): Response {
  headers.set('content-range', `bytes ${range.first}-${range.last}/${entry.body.byteLength}`);
  headers.set('content-length', String(range.last - range.first + 1));
  return new Response(bodyOf(entry.body.subarray(range.first, range.last + 1)), { status: 206, headers });
}

/** 206 or 416 for a `Range` over a complete stored response, or undefined where the whole is the answer (RFC 9110 §14.2). */
export function rangeAnswer(page: Page, entry: StoredResponse, headers: Headers): Response | undefined {
  const specs = parseRange(page.range);
  if (specs === undefined || page.method !== 'GET' || entry.status !== 200 || entry.part !== undefined)
    return undefined;
  if (!ifRangeHolds(page.ifRange, field(entry.headers, 'etag'), field(entry.headers, 'last-modified')))
    return undefined;
  const ranges = satisfiable(specs, entry.body.byteLength);
  const [first] = ranges;
  if (first === undefined) {
    headers.set('content-range', `bytes */${entry.body.byteLength}`);
    headers.delete('content-length');
    return new Response(null, { status: 416, headers });
  }
  if (ranges.length === 1) return single(entry, first, headers);
  const boundary = `porchlight-${entry.bodyHash.slice(0, 16) || 'range'}`;
  const body = multipart(entry.body, ranges, field(entry.headers, 'content-type'), boundary);
  headers.set('content-type', `multipart/byteranges; boundary=${boundary}`);
  headers.set('content-length', String(body.byteLength));
  return new Response(body, { status: 206, headers });
}

/** 206 from a stored part, or undefined when it does not cover the one range asked for (RFC 9111 §3.3). */
export function partAnswer(page: Page, entry: StoredResponse, headers: Headers): Response | undefined {
  const specs = parseRange(page.range);
  const [spec] = specs ?? [];
  if (entry.part === undefined || spec === undefined || specs?.length !== 1 || page.method !== 'GET') return undefined;
  if (!ifRangeHolds(page.ifRange, field(entry.headers, 'etag'), field(entry.headers, 'last-modified')))
    return undefined;
  const range = withinPart(spec, entry.part, entry.body.byteLength);
  if (range === undefined) return undefined;
  const first = entry.part.first + range.first;
  const complete = entry.part.complete ?? '*';
  headers.set('content-range', `bytes ${first}-${first + range.last - range.first}/${complete}`);
  headers.set('content-length', String(range.last - range.first + 1));
  return new Response(bodyOf(entry.body.subarray(range.first, range.last + 1)), { status: 206, headers });
}

/**
 * A 200 of known length as the part it is of itself, where a range asked for all of it. Media players ask so
 * (`bytes=0-`), and want a 206; nobody has to wait for the last byte to know the range.
 */
export function wholeAsPart(page: Page, answer: Response): Response {
  const read = (name: string): string | undefined => answer.headers.get(name) ?? undefined;
  const length = Number(read('content-length') ?? 0);
  const isAll = page.method === 'GET' && answer.status === 200 && length > 0 && isWhole(page.range, length);
  if (!isAll || read('content-encoding') || !ifRangeHolds(page.ifRange, read('etag'), read('last-modified')))
    return answer;
  const headers = new Headers(answer.headers);
  headers.set('content-range', `bytes 0-${length - 1}/${length}`);
  return new Response(answer.body, { status: 206, headers });
}

/** The answer to a page from a complete stored response: 304, 206, 416 or the whole. */
export function storedAnswer(
  page: Page,
  entry: StoredResponse,
  answered: Answered,
  now: number,
  secure: boolean,
): Response {
  const headers = answerHeaders(entry.headers, answered, secure);
  if (isReaderCurrent(page, entry, now)) return notModified(headers);
  const ranged = page.range === null ? undefined : rangeAnswer(page, entry, headers);
  return ranged ?? wholeAnswer(entry, bodyOf(entry.body), headers, page.method);
}
