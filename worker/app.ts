import { type IRequest, IttyRouter } from 'itty-router';
import type { Route } from '../shared/site.ts';
import { adminAnswer } from './admin/routes.ts';
import type { WarmRead } from './admin/warm.ts';
import type { Edge } from './assemble.ts';
import { patience } from './engine/flight.ts';
import type { Keep } from './engine/page.ts';
import { clientFacts, Pages, refusal } from './pages.ts';
import { Shortcuts } from './shortcuts.ts';
import { statusPage } from './status-page.ts';

function hostMatches(patterns: readonly string[], host: string): boolean {
  return patterns.some(
    (pattern) => pattern === '*' || pattern === host || (pattern.startsWith('*.') && host.endsWith(pattern.slice(1))),
  );
}

/** The site's table as an itty router: `fetch` resolves to the route, or undefined when no route takes the URL. */
export function routeTable(routes: readonly Route[]): (url: URL) => Promise<Route | undefined> {
  const router = IttyRouter<IRequest, [URL]>();
  for (const route of routes) {
    router.all(route.path, (_request, url): Route | undefined =>
      hostMatches(route.hosts, url.hostname) ? route : undefined,
    );
  }
  return async (url) => (await router.fetch({ url: url.href, method: 'GET' } as IRequest, url)) as Route | undefined;
}

/** A page that is not stored by then is not waited for: the next one is. */
const WARM_STORE_MS = 10_000;

const isAdmin = (url: URL): boolean => url.pathname.startsWith('/.porchlight/');

/** Fields that make a GET more than a plain one: whatever carries one of them takes the long way. */
const SPECIAL = [
  'cookie',
  'authorization',
  'range',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'upgrade',
  'content-length',
  'transfer-encoding',
  'cdn-loop',
] as const;

function isPlain(request: Request): boolean {
  if (request.method !== 'GET') return false;
  const { headers } = request;
  for (const name of SPECIAL) if (headers.has(name)) return false;
  return headers.get('accept')?.includes('text/event-stream') !== true;
}

export class App {
  readonly #edge: Edge;
  readonly #pages: Pages;
  readonly #routeOf: (url: URL) => Promise<Route | undefined>;
  /** From a URL that was answered from memory to its key: no parsing and no routing the next time. */
  readonly #shortcuts = new Shortcuts(8192);

  constructor(edge: Edge) {
    this.#edge = edge;
    this.#pages = new Pages(edge);
    this.#routeOf = routeTable(edge.config.site.routes);
  }

  fetch(request: Request, keep: Keep): Response | Promise<Response> {
    const now = this.#edge.deps.clock();
    const key = this.#shortcuts.get(request.url);
    const hot = key !== undefined && isPlain(request) ? this.#edge.reader.hot.answer(key, now) : undefined;
    return hot ?? this.#answer(request, now, keep);
  }

  async #answer(request: Request, now: number, keep: Keep): Promise<Response> {
    const url = new URL(request.url);
    if (isAdmin(url)) return adminAnswer(this.#edge, request, url.pathname, this.#warmRead(url, keep), keep);
    const route = await this.#routeOf(url);
    if (route === undefined) return refusal(421, 'unknown-host', clientFacts(request), request.method);
    if (route.to === 'status') return statusPage(this.#edge, keep);
    const hot = this.#hotAnswer(request, url, route, now);
    if (hot !== undefined) return hot;
    const pass = (passed: Request) => this.#pages.answer({ request: passed, url, route, now, keep });
    if (route.contract !== true) return pass(request);
    return this.#edge.api.answer(request, url.pathname, clientFacts(request), pass);
  }

  #hotAnswer(request: Request, url: URL, route: Route, now: number): Response | undefined {
    if (!route.cache || this.#edge.config.site.keyedHeaders.length > 0 || !isPlain(request)) return undefined;
    const { key } = this.#pages.canonical(route, url);
    const hot = this.#edge.reader.hot.answer(key, now);
    if (hot !== undefined) this.#shortcuts.set(request.url, key);
    return hot;
  }

  /** Pages are warmed through the same reader as everyone's, and only pages of this site. */
  #warmRead(base: URL, keep: Keep): WarmRead {
    const { site } = this.#edge.config;
    return (text) => {
      const url = URL.parse(text, base);
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
      const byName = site.routes.find(({ cache, to, hosts }) => {
        const own = site.upstreams[to]?.publicOrigin;
        return (
          cache &&
          (own === url.origin || url.host === base.host || hosts.some((host) => host !== '*' && host === url.hostname))
        );
      });
      if (byName === undefined) return undefined;
      const request = new Request(url, { headers: { 'x-request-id': crypto.randomUUID() } });
      const behind: Promise<unknown>[] = [];
      const keepBoth: Keep = (work) => {
        behind.push(work);
        keep(work);
      };
      const page = this.#pages.page(byName, url, request, 'GET', clientFacts(request));
      return {
        response: this.#edge.reader.read(page, this.#edge.deps.clock(), keepBoth),
        stored: () => patience(Promise.allSettled(behind), WARM_STORE_MS),
      };
    };
  }
}
