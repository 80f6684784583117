/** The validators of the representation that a 200 would carry. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** Epoch milliseconds. */
  readonly lastModified: number;
}

export type Precondition =
  | { readonly action: 'send'; readonly reason: 'unconditional' | 'changed' }
  | { readonly action: 'not-modified'; readonly reason: 'if-none-match' | 'if-modified-since' }
  | { readonly action: 'failed'; readonly reason: 'if-match' | 'if-unmodified-since' };

/** Evaluates the preconditions of a GET or HEAD in the order of RFC 9110 §13.2.2. */
export function evaluate(headers: Headers, validators: Validators): Precondition {
  const ifMatch = headers.get('if-match');
  const ifUnmodifiedSince = headers.get('if-unmodified-since');
  if (ifMatch !== null) {
    if (!lists(ifMatch, validators.etag, 'strong')) return { action: 'failed', reason: 'if-match' };
  } else if (ifUnmodifiedSince !== null) {
    const limit = parseHttpDate(ifUnmodifiedSince);
    if (limit !== undefined && seconds(validators.lastModified) > limit) {
      return { action: 'failed', reason: 'if-unmodified-since' };
    }
  }

  const ifNoneMatch = headers.get('if-none-match');
  if (ifNoneMatch !== null) {
    // If-Modified-Since is ignored beside If-None-Match: §13.1.3.
    return lists(ifNoneMatch, validators.etag, 'weak')
      ? { action: 'not-modified', reason: 'if-none-match' }
      : { action: 'send', reason: 'changed' };
  }
  const ifModifiedSince = headers.get('if-modified-since');
  const since = ifModifiedSince === null ? undefined : parseHttpDate(ifModifiedSince);
  if (since === undefined) return { action: 'send', reason: 'unconditional' };
  return seconds(validators.lastModified) <= since
    ? { action: 'not-modified', reason: 'if-modified-since' }
    : { action: 'send', reason: 'changed' };
}

/** Whether an entity-tag list (or `*`) names `etag`: §8.8.3.2. A strong comparison never matches a weak tag. */
function lists(field: string, etag: string, comparison: 'strong' | 'weak'): boolean {
  if (field.trim() === '*') return true;
  for (const [tag] of field.matchAll(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g)) {
    if (tag === etag) return true;
    if (comparison === 'weak' && tag === `W/${etag}`) return true;
  }
  return false;
}

const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** Epoch seconds. Only the preferred form of §5.6.7: an unreadable date is ignored, which costs one full answer. */
function parseHttpDate(text: string): number | undefined {
  if (!IMF_FIXDATE.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : seconds(time);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1_000);
}
