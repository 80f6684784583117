/** `current`: a clone of http-tests/cache-tests; `0.4.5`: the older edition that npm has as http-cache-tests. */
export type Edition = 'current' | '0.4.5';

/** A test this cache does not pass, on purpose or because it cannot. */
export interface Deviation {
  id: string;
  kind: 'required' | 'optional';
  /** Why, in one sentence. */
  reason: string;
  /** What the test is about: RFC and section. */
  anchor: string;
}

export type Floor = Record<'required' | 'optional', number>;

const INTERIM = 'The Workers runtime neither hands interim responses to a Worker nor lets it send them.';
const M_SEARCH = 'The Workers runtime answers the method M-SEARCH with 501 before a Worker sees it.';
const SET_COOKIE = 'A response with Set-Cookie is personal until proven otherwise: it is passed on, never stored.';
const POST = 'Unsafe methods pass through and invalidate; what a POST brought is never shown to readers of the page.';
const DATE =
  'The stored Date is later than If-Modified-Since, so the page was modified since: section 4.3.2 asks for 200, the test for 304.';
const COMBINE = 'Parts are combined only under equal strong validators; the test sends none, so the whole is fetched.';

const both: Deviation[] = [
  { id: 'headers-store-Set-Cookie', kind: 'required', reason: SET_COOKIE, anchor: 'RFC 9111 section 7.3' },
  { id: 'other-set-cookie', kind: 'optional', reason: SET_COOKIE, anchor: 'RFC 9111 section 7.3' },
  { id: 'invalidate-M-SEARCH', kind: 'required', reason: M_SEARCH, anchor: 'RFC 9111 section 4.4' },
  { id: 'invalidate-M-SEARCH-failed', kind: 'optional', reason: M_SEARCH, anchor: 'RFC 9111 section 4.4' },
];

export const DEVIATIONS: Record<Edition, Deviation[]> = {
  current: [
    ...both,
    { id: 'interim-not-cached', kind: 'required', reason: INTERIM, anchor: 'RFC 9110 section 15.2' },
    { id: 'interim-102', kind: 'optional', reason: INTERIM, anchor: 'RFC 9110 section 15.2' },
    { id: 'interim-103', kind: 'optional', reason: INTERIM, anchor: 'RFC 8297 section 2' },
    { id: 'interim-no-header-reuse', kind: 'optional', reason: INTERIM, anchor: 'RFC 9110 section 15.2' },
    { id: 'method-POST', kind: 'optional', reason: POST, anchor: 'RFC 9110 section 9.3.3' },
    { id: 'conditional-lm-fresh-no-lm', kind: 'optional', reason: DATE, anchor: 'RFC 9111 section 4.3.2' },
    { id: 'partial-store-partial-complete', kind: 'optional', reason: COMBINE, anchor: 'RFC 9111 section 3.4' },
  ],
  '0.4.5': [
    ...both,
    { id: 'invalidate-M-SEARCH-location', kind: 'required', reason: M_SEARCH, anchor: 'RFC 9111 section 4.4' },
    { id: 'invalidate-M-SEARCH-cl', kind: 'required', reason: M_SEARCH, anchor: 'RFC 9111 section 4.4' },
    {
      id: '304-etag-update-response-Set-Cookie',
      kind: 'required',
      reason: SET_COOKIE,
      anchor: 'RFC 9111 section 3.2',
    },
  ],
};

/** What must pass whatever is listed above: a list that grows does not make a worse cache acceptable. */
export const FLOORS: Record<Edition, Floor> = {
  current: { required: 157, optional: 97 },
  '0.4.5': { required: 152, optional: 81 },
};
