import { type IRequest, IttyRouter } from 'itty-router';
import type { Route } from '../shared/site.ts';
import { adminAnswer } from './admin/routes.ts';
import type { WarmRead } from './admin/warm.ts';
import type { Edge } from './assemble.ts';
import type { Keep } from './engine/page.ts';
import { clientFacts, Pages, refusal } from './pages.ts';
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

/** URLs seen lately and their routes: routing the same page again costs one look-up. */
const MAX_KNOWN = 4096;

export class App {
  readonly #edge: Edge;
  readonly #pages: Pages;
  readonly #routeOf: (url: URL) => Promise<Route | undefined>;
  readonly #known = new Map<string, { url: URL; route: Route | undefined }>();

  constructor(edge: Edge) {
    this.#edge = edge;
    this.#pages = new Pages(edge);
    this.#routeOf = routeTable(edge.config.site.routes);
  }

  async fetch(request: Request, keep: Keep): Promise<Response> {
    const now = this.#edge.deps.clock();
    const { url, route } = this.#known.get(request.url) ?? (await this.#learn(request.url));
    if (url.pathname.startsWith('/.porchlight/'))
      return adminAnswer(this.#edge, request, url.pathname, this.#warmRead(url, keep), keep);
    if (route === undefined) return refusal(421, 'unknown-host', clientFacts(request), request.method);
    if (route.to === 'status') return statusPage(this.#edge, keep);
    return this.#pages.answer({ request, url, route, now, keep });
  }

  async #learn(href: string): Promise<{ url: URL; route: Route | undefined }> {
    const url = new URL(href);
    const known = { url, route: await this.#routeOf(url) };
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(href, known);
    return known;
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
      return this.#edge.reader.read(
        this.#pages.page(byName, url, request, 'GET', clientFacts(request)),
        this.#edge.deps.clock(),
        keep,
      );
    };
  }
}
