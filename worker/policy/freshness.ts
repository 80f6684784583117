import type { FreshnessRule } from '../../shared/site.ts';
import { deltaSeconds } from './cache-control.ts';
import type { ResponseDirectives } from './directives.ts';
import { field, type HeaderList } from './header-list.ts';
import { parseHttpDate } from './http-date.ts';

/** When the exchange with the origin happened, in milliseconds since the epoch. */
export interface ExchangeTimes {
  readonly requestTime: number;
  readonly responseTime: number;
}

/** What a stored response may be used for, as durations in seconds. Plain data: it is stored with the response. */
export interface Lifetime {
  /** freshness_lifetime of RFC 9111 §4.2.1. */
  readonly fresh: number;
  /** How freshness was found: every answer to "why is this (not) cached" starts here. */
  readonly from: 's-maxage' | 'max-age' | 'expires' | 'rule' | 'heuristic' | 'none';
  /** RFC 5861 §3: how long past `fresh` it may be served while one revalidation runs. */
  readonly whileRevalidate: number;
  /** RFC 5861 §4: how long past `fresh` it may stand in for a 5xx. */
  readonly ifError: number;
  /** May not be reused without successful validation, ever (`no-cache`). */
  readonly always: boolean;
  /** No stale use, not even in an outage (RFC 9111 §4.2.4: must-revalidate, proxy-revalidate, s-maxage, no-cache). */
  readonly noStale: boolean;
}

/** Statuses that may be given heuristic freshness (RFC 9110 §15.1), but for 206, which is handled apart. */
const HEURISTIC_STATUS = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501]);
const HEURISTIC_FRACTION = 0.1;
const HEURISTIC_MAX_SECONDS = 7 * 86_400;

function explicit(
  directives: ResponseDirectives,
  headers: HeaderList,
  times: ExchangeTimes,
): Pick<Lifetime, 'fresh' | 'from'> | undefined {
  if (directives.sMaxage !== undefined) return { fresh: directives.sMaxage, from: 's-maxage' };
  if (directives.maxAge !== undefined) return { fresh: directives.maxAge, from: 'max-age' };
  const isTargeted = directives.source !== 'cache-control' && directives.source !== 'none';
  const expires = field(headers, 'expires');
  if (isTargeted || expires === undefined) return undefined;
  const at = parseHttpDate(expires, times.responseTime);
  const date = parseHttpDate(field(headers, 'date'), times.responseTime) ?? times.responseTime;
  return { fresh: at === undefined ? 0 : Math.max(0, (at - date) / 1000), from: 'expires' };
}

function heuristic(
  status: number,
  directives: ResponseDirectives,
  headers: HeaderList,
  times: ExchangeTimes,
): number | undefined {
  if (!HEURISTIC_STATUS.has(status) && !directives.public) return undefined;
  const modified = parseHttpDate(field(headers, 'last-modified'), times.responseTime);
  if (modified === undefined) return undefined;
  const date = parseHttpDate(field(headers, 'date'), times.responseTime) ?? times.responseTime;
  const seconds = (Math.max(0, date - modified) / 1000) * HEURISTIC_FRACTION;
  return Math.min(HEURISTIC_MAX_SECONDS, Math.floor(seconds));
}

/**
 * The lifetime of a response (RFC 9111 §4.2): what the origin said, else the site's rule for this content type, else
 * the usual heuristic on `Last-Modified`.
 */
export function lifetimeOf(
  status: number,
  headers: HeaderList,
  directives: ResponseDirectives,
  times: ExchangeTimes,
  rule: FreshnessRule | undefined,
): Lifetime {
  const said = explicit(directives, headers, times);
  const silent = said === undefined;
  const byRule = silent && HEURISTIC_STATUS.has(status) ? rule?.fresh : undefined;
  const guessed = silent && byRule === undefined ? heuristic(status, directives, headers, times) : undefined;
  const always = directives.noCache === true;
  const noStale = always || directives.mustRevalidate || directives.proxyRevalidate || directives.sMaxage !== undefined;
  const base = said ?? {
    fresh: byRule ?? guessed ?? 0,
    from: byRule !== undefined ? 'rule' : guessed !== undefined ? 'heuristic' : 'none',
  };
  return {
    ...base,
    from: base.from as Lifetime['from'],
    whileRevalidate: noStale
      ? 0
      : (directives.staleWhileRevalidate ?? (byRule === undefined ? 0 : (rule?.whileRevalidate ?? 0))),
    ifError: noStale ? 0 : (directives.staleIfError ?? rule?.ifError ?? 0),
    always,
    noStale,
  };
}

/** corrected_initial_age in seconds (RFC 9111 §4.2.3). A bad `Age` is ignored; of several values the first counts. */
export function initialAge(headers: HeaderList, times: ExchangeTimes): number {
  const age = deltaSeconds(field(headers, 'age')?.split(',')[0]?.trim()) ?? 0;
  const date = parseHttpDate(field(headers, 'date'), times.responseTime);
  const apparent = date === undefined ? 0 : Math.max(0, (times.responseTime - date) / 1000);
  const delay = Math.max(0, (times.responseTime - times.requestTime) / 1000);
  return Math.max(apparent, age + delay);
}
