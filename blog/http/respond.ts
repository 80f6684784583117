import { type Cacheability, cacheControl } from './cache-headers.ts';
import { evaluate } from './conditional.ts';
import { strongEtag } from './etag.ts';

/** A complete answer, independent of who asked: a pure function of the content. */
export interface Page {
  readonly status: 200 | 404;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly type: string;
  readonly cache: Cacheability;
  /** The `Cache-Tag` field; empty for none. */
  readonly tags: string;
  /** Epoch milliseconds; needed only for a 200. */
  readonly modified: number;
  readonly etag: string;
  /** Further fields, such as the Content-Security-Policy. */
  readonly headers: Readonly<Record<string, string>>;
}

export type PageParts = Omit<Page, 'body' | 'etag' | 'headers' | 'modified'> & {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly modified?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

export function makePage(parts: PageParts): Page {
  const body = typeof parts.body === 'string' ? new TextEncoder().encode(parts.body) : parts.body;
  return { ...parts, body, etag: strongEtag(body), modified: parts.modified ?? 0, headers: parts.headers ?? {} };
}

/**
 * The response to one GET or HEAD. `now` is epoch milliseconds: a Last-Modified later than the Date
 * of the response is not allowed (RFC 9110 §8.8.2.1), and clocks of file servers do run ahead.
 * For HEAD the caller drops the body; the fields are those of the GET.
 */
export function respond(page: Page, request: Headers, now: number): Response {
  const headers = new Headers({ ...page.headers, 'cache-control': cacheControl(page.cache) });
  headers.set('x-content-type-options', 'nosniff');
  if (page.tags !== '') headers.set('cache-tag', page.tags);
  if (page.status === 200) {
    const validators = { etag: page.etag, lastModified: Math.min(page.modified, now) };
    headers.set('etag', validators.etag);
    headers.set('last-modified', new Date(validators.lastModified).toUTCString());
    const precondition = evaluate(request, validators);
    if (precondition.action === 'not-modified') return new Response(null, { status: 304, headers });
    if (precondition.action === 'failed') {
      headers.set('cache-control', cacheControl('never'));
      return new Response(null, { status: 412, headers });
    }
  }
  headers.set('content-type', page.type);
  headers.set('content-length', String(page.body.byteLength));
  return new Response(page.body, { status: page.status, headers });
}
