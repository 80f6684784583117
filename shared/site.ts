/**
 * The site as data: which hosts exist, what each path is, where it is fetched from and how long it keeps where the
 * origin is silent. Both the edge and the local launcher read it; `validateSite` refuses what a reader would trip over.
 */

/** Freshness where an origin is silent, by content type. Seconds. An explicit origin directive always wins. */
export interface FreshnessRule {
  /** Media type, or a range such as `image/*`. The first match counts. */
  readonly type: string;
  readonly fresh: number;
  readonly whileRevalidate: number;
  /** How long it may stand in for a 5xx; an unreachable origin may use it beyond that (RFC 9111 §4.2.4). */
  readonly ifError: number;
}

export interface Upstream {
  /** Base URL the edge fetches from: the tunnel's hostname, or an address on this machine. No path. */
  readonly url: string;
  /** scheme://host readers know it by; sent as X-Forwarded-Host and -Proto, whatever a request claims. */
  readonly publicOrigin: string;
  /** Guarded by Cloudflare Access: send the service token, and expect its login page in place of answers. */
  readonly access?: boolean;
}

export interface Route {
  readonly id: string;
  /** Host names without port; `*.example.com` for any name below, `*` for any host at all. */
  readonly hosts: readonly string[];
  /** `/*` for everything, `/name/*` for a folder, `/name` for one path. */
  readonly path: string;
  /** Name of an upstream, or `status` for the edge's own status page. */
  readonly to: string;
  /** Pages are stored and collapsed; otherwise requests are passed through. */
  readonly cache: boolean;
  /** Held to the bridge's contract (`contract/access.ts`) before anything reaches home. */
  readonly contract?: boolean;
}

export interface SiteConfig {
  readonly upstreams: Readonly<Record<string, Upstream>>;
  readonly routes: readonly Route[];
  readonly freshness: readonly FreshnessRule[];
  /** Cookies that make a request personal: it goes to the origin and is never stored. `name*` matches a beginning. */
  readonly bypassCookies: readonly string[];
  /** Query parameters that never change a page. `name*` matches a beginning. */
  readonly trackingParameters: readonly string[];
  /** Request fields that may shape a page: forwarded normalised, and part of the key. Lower-case. */
  readonly keyedHeaders: readonly string[];
}

const DAY = 86_400;
const YEAR = 365 * DAY;

/** What a blog may expect when its origin says nothing. */
export const BLOG_FRESHNESS: readonly FreshnessRule[] = [
  { type: 'text/html', fresh: 60, whileRevalidate: DAY, ifError: YEAR },
  { type: 'application/atom+xml', fresh: 60, whileRevalidate: DAY, ifError: YEAR },
  { type: 'application/rss+xml', fresh: 60, whileRevalidate: DAY, ifError: YEAR },
  { type: 'text/css', fresh: 3600, whileRevalidate: DAY, ifError: YEAR },
  { type: 'text/javascript', fresh: 3600, whileRevalidate: DAY, ifError: YEAR },
  { type: 'image/*', fresh: DAY, whileRevalidate: 7 * DAY, ifError: YEAR },
  { type: 'font/*', fresh: 7 * DAY, whileRevalidate: 30 * DAY, ifError: YEAR },
];

export const BYPASS_COOKIES: readonly string[] = [
  'session',
  'sessionid',
  'sid',
  'auth',
  'token',
  'wordpress_logged_in_*',
  'CF_Authorization',
];

export const TRACKING_PARAMETERS: readonly string[] = [
  'utm_*',
  'fbclid',
  'gclid',
  'dclid',
  'gbraid',
  'wbraid',
  'msclkid',
  'yclid',
  'twclid',
  'igshid',
  'mc_cid',
  'mc_eid',
  '_ga',
  '_gl',
  'ref_src',
];

/** Addresses that differ between a laptop and production. */
export interface SiteAddresses {
  readonly blog: string;
  readonly bridge?: string;
  /** Public host of the blog; `api.` and `status.` stand before its parent. */
  readonly domain: string;
  readonly scheme: 'http' | 'https';
  readonly access: boolean;
  /** Answer the blog for every host (the edge alone, in front of any origin). */
  readonly anyHost?: boolean;
}

/** Porchlight's own site for the given addresses. */
export function porchlightSite(at: SiteAddresses): SiteConfig {
  const origin = (name: string): string => `${at.scheme}://${name === '' ? '' : `${name}.`}${at.domain}`;
  const upstreams: Record<string, Upstream> = {
    blog: { url: at.blog, publicOrigin: origin(at.domain === 'localhost' ? '' : 'blog'), access: at.access },
  };
  if (at.bridge !== undefined) upstreams.bridge = { url: at.bridge, publicOrigin: origin('api'), access: at.access };
  const local = at.domain === 'localhost' ? ['localhost', '127.0.0.1', '[::1]'] : [at.domain];
  const routes: Route[] = [{ id: 'status', hosts: [`status.${at.domain}`], path: '/*', to: 'status', cache: false }];
  if (at.bridge !== undefined) {
    const api = { hosts: [`api.${at.domain}`], to: 'bridge', contract: true };
    // What readers get of comment threads is a page like any other; the rest of the interface is passed through.
    routes.push({ ...api, id: 'threads', path: '/v1/threads/*', cache: true });
    routes.push({ ...api, id: 'api', path: '/*', cache: false });
  }
  const hosts = at.anyHost === true ? ['*'] : [`blog.${at.domain}`, ...local];
  routes.push({ id: 'blog', hosts, path: '/*', to: 'blog', cache: true });
  return {
    upstreams,
    routes,
    freshness: BLOG_FRESHNESS,
    bypassCookies: BYPASS_COOKIES,
    trackingParameters: TRACKING_PARAMETERS,
    keyedHeaders: [],
  };
}
