import { describe, expect, test } from 'vitest';
import { BLOG_FRESHNESS, porchlightSite, type Route, type SiteConfig } from './site.ts';
import { describeProblems, validateSite } from './site-check.ts';

const UPSTREAMS = { blog: { url: 'http://127.0.0.1:3000', publicOrigin: 'https://blog.example.com' } };
const route = (id: string, host: string | string[], path: string, to = 'blog'): Route => ({
  id,
  hosts: typeof host === 'string' ? [host] : host,
  path,
  to,
  cache: true,
});
const site = (routes: Route[], given: Partial<SiteConfig> = {}): SiteConfig => ({
  upstreams: UPSTREAMS,
  routes,
  freshness: [],
  bypassCookies: [],
  trackingParameters: [],
  keyedHeaders: [],
  ...given,
});
const problems = (given: SiteConfig): string[] =>
  validateSite(given).map(({ where, problem }) => `${where}: ${problem}`);

describe('the sites that Porchlight brings are right', () => {
  const base = { blog: 'http://127.0.0.1:3000', domain: 'localhost', scheme: 'http', access: false } as const;
  test.each([
    ['a laptop', base],
    ['with a bridge', { ...base, bridge: 'http://127.0.0.1:8788' }],
    ['in front of any origin', { ...base, bridge: 'http://127.0.0.1:8788', anyHost: true }],
    ['production', { ...base, domain: 'example.com', scheme: 'https', access: true, bridge: 'https://x.example.com' }],
  ] as const)('%s', (_, addresses) => {
    expect(problems(porchlightSite(addresses))).toEqual([]);
  });
});

describe('first match wins where it is unambiguous', () => {
  test.each<[string, Route[]]>([
    ['one route for everything', [route('a', '*', '/*')]],
    ['the narrower path first', [route('a', 'x', '/api/*'), route('b', 'x', '/*')]],
    [
      'the narrower host first',
      [route('a', 'x.example.com', '/*'), route('b', '*.example.com', '/*'), route('c', '*', '/*')],
    ],
    ['both narrower', [route('a', 'x', '/api/*'), route('b', '*', '/*')]],
    ['hosts apart', [route('a', 'x', '/*'), route('b', 'y', '/*')]],
    ['paths apart', [route('a', 'x', '/a/*'), route('b', 'x', '/b/*'), route('c', 'x', '/c')]],
    ['a file and a folder whose names begin alike', [route('a', 'x', '/api'), route('b', 'x', '/api-docs/*')]],
    ['a file within a folder', [route('a', 'x', '/api/health'), route('b', 'x', '/api/*')]],
  ])('%s', (_, routes) => {
    expect(problems(site(routes))).toEqual([]);
  });
});

describe('unreachable: an earlier route takes all of it', () => {
  test.each<[string, Route[], string]>([
    ['the same twice', [route('a', 'x', '/*'), route('b', 'x', '/*')], 'x/*'],
    ['a folder after everything', [route('a', 'x', '/*'), route('b', 'x', '/api/*')], 'x/api/*'],
    ['a host after its wildcard', [route('a', '*.y.com', '/*'), route('b', 'x.y.com', '/*')], 'x.y.com/*'],
    ['a host after any host', [route('a', '*', '/*'), route('b', 'x', '/api/*')], 'x/api/*'],
    ['a wildcard within a wildcard', [route('a', '*.com', '/*'), route('b', '*.y.com', '/*')], '*.y.com/*'],
    ['a folder without its slash', [route('a', 'x', '/api/*'), route('b', 'x', '/api')], 'x/api'],
    ['a path that differs by its last slash', [route('a', 'x', '/api'), route('b', 'x', '/api/')], 'x/api/'],
    ['one of several hosts', [route('a', 'x', '/*'), route('b', ['y', 'x'], '/*')], 'x/*'],
  ])('%s', (_, routes, claim) => {
    expect(problems(site(routes))).toEqual([expect.stringMatching(/^routes\[1\] "b": .* is unreachable: route "a"/)]);
    expect(problems(site(routes))[0]).toContain(`: ${claim} is unreachable`);
  });
});

test('overlapping: neither contains the other', () => {
  const routes = [route('a', 'x.com', '/*'), route('b', '*', '/api/*')];
  expect(problems(site(routes))).toEqual([
    'routes[1] "b": */api/* overlaps x.com/* of route "a" and neither contains the other; split one of them',
  ]);
});

describe('each thing that can be wrong', () => {
  const fine = [route('a', 'x', '/*')];
  const rule = { type: 'text/html', fresh: 1, whileRevalidate: 1, ifError: 1 };
  const origin = (url: string): Partial<SiteConfig> => ({ upstreams: { blog: { ...UPSTREAMS.blog, url } } });
  test.each<[string, SiteConfig, RegExp]>([
    ['an id with capitals', site([route('Blog', 'x', '/*')]), /^routes\[0\] "Blog": id must be lower-case/],
    ['an empty id', site([route('', 'x', '/*')]), /id must be lower-case/],
    ['an id used twice', site([route('a', 'x', '/*'), route('a', 'y', '/*')]), /^routes\[1\] "a": id is used twice/],
    ['no host', site([route('a', [], '/*')]), /hosts is empty/],
    ['a host with port', site([route('a', 'x:80', '/*')]), /host "x:80" is not/],
    ['a host with capitals', site([route('a', 'X.com', '/*')]), /host "X.com" is not/],
    ['a wildcard in the middle', site([route('a', 'x.*.com', '/*')]), /host "x\.\*\.com" is not/],
    ['a host that ends in a dash', site([route('a', 'x-.com', '/*')]), /host "x-.com" is not/],
    ['a path without slash', site([route('a', 'x', 'api')]), /path "api" must be/],
    ['a wildcard within a path', site([route('a', 'x', '/a*')]), /path "\/a\*" must be/],
    ['a parameter', site([route('a', 'x', '/:id')]), /path "\/:id" must be/],
    ['a query', site([route('a', 'x', '/a?b')]), /path "\/a\?b" must be/],
    [
      'an unknown upstream',
      site([route('a', 'x', '/*', 'grafana')]),
      /goes to "grafana", which is no upstream; known: blog/,
    ],
    ['a name every object has', site([route('a', 'x', '/*', 'toString')]), /goes to "toString", which is no upstream/],
    ['an origin without scheme', site(fine, origin('example.com')), /^upstreams\.blog\.url: "example\.com" must be/],
    ['an origin with path', site(fine, origin('http://example.com/blog')), /upstreams\.blog\.url/],
    ['an origin with user', site(fine, origin('http://me:pw@example.com')), /upstreams\.blog\.url/],
    ['another scheme', site(fine, origin('ftp://example.com')), /upstreams\.blog\.url/],
    ['an impossible port', site(fine, origin('http://example.com:99999')), /upstreams\.blog\.url/],
    ['spaces', site(fine, origin('http://exa mple.com')), /upstreams\.blog\.url/],
    ['no media type', site(fine, { freshness: [{ ...rule, type: 'html' }] }), /^freshness\[0\] "html": type must be/],
    [
      'seconds that are none',
      site(fine, { freshness: [{ ...rule, fresh: 1.5 }] }),
      /fresh must be a whole number of seconds, not 1.5/,
    ],
    ['seconds below none', site(fine, { freshness: [{ ...rule, ifError: -1 }] }), /ifError must be .* not -1/],
    [
      'NaN',
      site(fine, { freshness: [{ ...rule, whileRevalidate: Number.NaN }] }),
      /whileRevalidate must be .* not NaN/,
    ],
    [
      'a keyed field with capitals',
      site(fine, { keyedHeaders: ['Accept'] }),
      /"Accept" is not a lower-case field name/,
    ],
    ['a personal keyed field', site(fine, { keyedHeaders: ['cookie'] }), /"cookie" is personal/],
    ['credentials as a key', site(fine, { keyedHeaders: ['authorization'] }), /"authorization" is personal/],
  ])('%s', (_, given, message) => {
    expect(problems(given)).toEqual([expect.stringMatching(message)]);
  });
});

test('everything wrong is listed at once, one line each', () => {
  const given = site([route('A', 'X', 'x', 'y'), route('b', '*', '/*'), route('b', '*', '/*')], {
    upstreams: { blog: { url: 'x', publicOrigin: 'y' } },
    keyedHeaders: ['cookie'],
    freshness: [{ type: 'x', fresh: -1, whileRevalidate: -1, ifError: -1 }],
  });
  const found = validateSite(given);
  expect(found.length).toBe(13);
  const text = describeProblems('The site', found);
  expect(text.split('\n')).toHaveLength(14);
  expect(text).toMatch(/^The site has 13 errors:\n {2}- upstreams\.blog\.url: /);
  expect(describeProblems('The site', found.slice(0, 1))).toMatch(/^The site has 1 error:\n/);
});

test('the first rule of the blog that fits a type is the most specific one', () => {
  const types = BLOG_FRESHNESS.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  expect(validateSite(site([route('a', 'x', '/*')], { freshness: BLOG_FRESHNESS }))).toEqual([]);
});
