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

const AGE = 'The current edition asks for the opposite: an invalid or repeated Age is ignored, not taken for old age.';
const CLOSE =
  'This edition expects an answer from its own server after it has closed the connection; the current one checks for a stale answer.';
const UPDATE = 'The current edition asks nothing here: section 3.2 lets a 304 update this field.';
const OTHER_ETAG =
  'A 304 that names another entity tag does not select the stored response, so the whole is fetched again.';

const required = (reason: string, anchor: string, ids: readonly string[]): Deviation[] =>
  ids.map((id) => ({ id, kind: 'required', reason, anchor }));

const AGE_TESTS = [
  'nonnumeric',
  'negative',
  'float',
  'prefix-twoline',
  'dup-0',
  'dup-0-twoline',
  'dup-old',
  'parameter',
  'numeric-parameter',
];
const CLOSE_TESTS = ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=2'];

const both: Deviation[] = [
  { id: 'method-POST', kind: 'optional', reason: POST, anchor: 'RFC 9110 section 9.3.3' },
  { id: 'conditional-lm-fresh-no-lm', kind: 'optional', reason: DATE, anchor: 'RFC 9111 section 4.3.2' },
  { id: 'partial-store-partial-complete', kind: 'optional', reason: COMBINE, anchor: 'RFC 9111 section 3.4' },
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
  ],
  '0.4.5': [
    ...both,
    ...required(
      AGE,
      'RFC 9111 section 5.1',
      AGE_TESTS.map((name) => `age-parse-${name}`),
    ),
    ...required(
      CLOSE,
      'RFC 9111 section 4.2.4',
      CLOSE_TESTS.map((name) => `stale-close-${name}`),
    ),
    ...required(UPDATE, 'RFC 9111 section 3.2', ['304-etag-update-response-Content-MD5']),
    ...required(OTHER_ETAG, 'RFC 9111 section 4.3.4', ['304-etag-update-response-ETag']),
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
  '0.4.5': { required: 138, optional: 81 },
};
