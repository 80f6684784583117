import type { Route } from '../shared/site.ts';
import type { Edge } from './assemble.ts';
import { wholeAsPart } from './engine/answer.ts';
import type { Keep, Page } from './engine/page.ts';
import { passThrough } from './engine/passthrough.ts';
import { problemPage } from './engine/problem-page.ts';
import { type CanonicalTarget, canonicalTarget, nameMatcher, withKeyedFields } from './policy/cache-key.ts';
import { cacheStatus } from './policy/cache-status.ts';
import { type ClientFacts, forwardAll, forwardKeyed, isLoop } from './policy/forward.ts';
import { field, type HeaderList } from './policy/header-list.ts';
import { classify, onlyIfCached } from './policy/request.ts';
import { invalidatedBy } from './policy/unsafe.ts';
import { normaliseField } from './policy/vary.ts';

export interface Arrival {
  readonly request: Request;
  readonly url: URL;
  readonly route: Route;
  readonly now: number;
  readonly keep: Keep;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/;
/** Cloudflare's own id of a request; anything else under its name was sent by a client, where no Cloudflare is in front. */
const RAY_ID = /^[0-9a-f]{16}(-[A-Z]{3})?$/;

/** Requests of one route, sorted and answered: pages by the engine, everything else passed through. */
export class Pages {
  readonly #edge: Edge;
  readonly #isTracking: (name: string) => boolean;
  readonly #isBypassCookie: (name: string) => boolean;

  constructor(edge: Edge) {
    this.#edge = edge;
    this.#isTracking = nameMatcher(edge.config.site.trackingParameters);
    this.#isBypassCookie = nameMatcher(edge.config.site.bypassCookies);
  }

  canonical(route: Route, url: URL): CanonicalTarget {
    return canonicalTarget(route.id, url.pathname, url.search, this.#isTracking);
  }

  async answer(arrival: Arrival): Promise<Response> {
    const { request, route, url } = arrival;
    const headers = request.headers;
    const read = (name: string): string | null => headers.get(name);
    const client = clientFacts(request);
    if (isLoop(client.cdnLoop)) return refusal(508, 'loop', client, request.method);
    const { forward } = this.#edge.config;
    const kind = route.cache
      ? classify(request.method, read, forward, this.#isBypassCookie)
      : ({ kind: 'route' } as const);
    if (kind.kind === 'storable') {
      const page = this.page(route, url, request, kind.method, client);
      return wholeAsPart(page, await this.#edge.reader.read(page, arrival.now, arrival.keep));
    }
    const detail = kind.kind === 'bypass' ? kind.reason : kind.kind === 'route' ? 'route' : undefined;
    const outcome = {
      fwd: kind.kind === 'method' ? ('method' as const) : ('bypass' as const),
      ...(detail === undefined ? {} : { detail }),
    };
    const unsafe = kind.kind === 'method' && kind.unsafe;
    if (unsafe && !(await this.#edge.mayWrite(client.address)))
      return refusal(429, 'rate-limited', client, request.method);
    return this.#pass(arrival, client, outcome, unsafe);
  }

  async #pass(
    arrival: Arrival,
    client: ClientFacts,
    outcome: Parameters<typeof cacheStatus>[0],
    unsafe: boolean,
  ): Promise<Response> {
    const { request, route, url } = arrival;
    const upstream = this.#upstream(route);
    const origin = this.#edge.deps.origin(route.to);
    const extra = this.#edge.deps.stage.fields(undefined, 0);
    const passing = { request, route, upstream, target: url.pathname + url.search, client, outcome, extra };
    const { response, reached } = await passThrough(origin, passing);
    // Whoever sees this answer may read the page next: the invalidation is in force before the answer leaves (RFC 9111 §4.4).
    if (unsafe && reached) await this.#invalidate(arrival, response, upstream.publicOrigin);
    return response;
  }

  async #invalidate({ route, url, now }: Arrival, response: Response, publicOrigin: string): Promise<void> {
    const targets = invalidatedBy(response.status, [...response.headers], url, publicOrigin);
    if (targets.length === 0) return;
    const { deps } = this.#edge;
    const keys = [...new Set(targets.map((target) => this.canonical(route, target).key))];
    const items = keys.map((value) => ({ kind: 'url' as const, value }));
    try {
      const { snapshot } = await deps.leases.invalidate(items, 'reader');
      await deps.ledger.adopt(snapshot, now);
    } catch (error) {
      deps.report('unsafe-invalidation-failed', { error: String(error) });
      await Promise.allSettled(keys.map((key) => deps.stage.delete(key)));
    }
  }

  /** A storable request in the engine's words. */
  page(route: Route, url: URL, request: Request, method: 'GET' | 'HEAD', client: ClientFacts): Page {
    const { config } = this.#edge;
    const headers = request.headers;
    const target = this.canonical(route, url);
    const keyed = config.site.keyedHeaders.map((name) => [name, normaliseField(name, headers.get(name))] as const);
    let forwarded: HeaderList | undefined;
    const forward = (): HeaderList => {
      forwarded ??= config.forward === 'all' ? forwardAll([...headers]) : forwardKeyed(keyed);
      return forwarded;
    };
    return {
      method,
      route,
      upstream: this.#upstream(route),
      key: keyed.length === 0 ? target.key : withKeyedFields(target.key, keyed),
      target: target.path + target.search,
      forward,
      read: (name) => field(forward(), name) ?? null,
      varies: config.forward === 'all',
      conditions: { ifNoneMatch: headers.get('if-none-match'), ifModifiedSince: headers.get('if-modified-since') },
      range: headers.get('range'),
      ifRange: headers.get('if-range'),
      hasAuthorization: headers.has('authorization'),
      hasCookie: config.forward === 'all' && headers.has('cookie'),
      onlyIfCached: onlyIfCached(headers.get('cache-control')),
      client,
    };
  }

  #upstream(route: Route): NonNullable<Edge['config']['site']['upstreams'][string]> {
    const upstream = this.#edge.config.site.upstreams[route.to];
    if (upstream === undefined) throw new Error(`Route "${route.id}" goes to an unknown upstream.`);
    return upstream;
  }
}

export function clientFacts(request: Request): ClientFacts {
  const given = request.headers.get('x-request-id');
  const ray = request.headers.get('cf-ray');
  const ownRequestId = ray !== null && RAY_ID.test(ray) ? ray : crypto.randomUUID();
  return {
    address: request.headers.get('cf-connecting-ip') ?? undefined,
    requestId: given !== null && REQUEST_ID.test(given) ? given : ownRequestId,
    ownRequestId,
    cdnLoop: request.headers.get('cdn-loop'),
  };
}

export function refusal(status: number, reason: string, client: ClientFacts, method: string): Response {
  return problemPage(
    status,
    { retryAfter: 10, reason, requestId: client.requestId, cacheStatus: cacheStatus({ detail: reason }) },
    method,
  );
}
