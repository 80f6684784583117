import { type Context, Hono } from 'hono';
import { matchedRoutes } from 'hono/route';
import { cacheControl } from './http/cache-headers.ts';
import { type Page, respond } from './http/respond.ts';
import { addMachineRoutes, type MachineRoutes } from './machine-routes.ts';
import { unavailablePage } from './pages/pages.ts';
import { HTML_HEADERS, type RenderInput, renderMissing } from './pages/render.ts';
import type { Catalogue } from './posts/catalogue.ts';
import type { ContentStore } from './posts/store.ts';
import { PAGE_ROUTES, type Redirect } from './routes.ts';
import type { Site } from './site.ts';

export interface AppOptions extends MachineRoutes {
  readonly site: Site;
  readonly store: ContentStore;
  /** Epoch milliseconds of the last change to the program, for `Last-Modified`. */
  readonly built: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Resolves when the content is up to date, or soon anyway: a page never waits long for the disk. */
  readonly fresh: () => Promise<void>;
  readonly onError: (error: Error, path: string) => void;
  /** Further routes, added after the machine's and before the pages. */
  readonly extend?: (app: Hono) => void;
}

/** Wires routes to pages. Every answer is a function of the content and the path; headers only choose 200, 304 or 412. */
export function createApp(options: AppOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const started = performance.now();
    await next();
    const found = matchedRoutes(context).find((route) => route.path !== '/*' && route.path !== '*')?.path;
    const route = found?.replace(/\{[^}]*\}+/g, '') ?? 'none';
    const request = { method: context.req.method, route, status: context.res.status };
    options.metrics.observe(request, (performance.now() - started) / 1_000);
  });
  addMachineRoutes(app, options);
  options.extend?.(app);
  addPages(app, options);
  app.all('*', (context) => {
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') return methodNotAllowed();
    const plain = withoutTrailingSlash(context.req.path);
    if (plain !== undefined) return redirect({ location: plain, status: 308 });
    return respond(renderMissing(options.site, ''), context.req.raw.headers, options.now());
  });
  app.onError((error, context) => {
    options.onError(error, context.req.path);
    return new Response('Something went wrong here. Please try again in a moment.\n', {
      status: 500,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': cacheControl('never') },
    });
  });
  return app;
}

function addPages(app: Hono, options: AppOptions): void {
  const { site, built } = options;
  const rendered = new WeakMap<Catalogue, Map<string, Page>>();
  for (const route of PAGE_ROUTES) {
    app.get(route.path, async (context: Context) => {
      await options.fresh();
      const catalogue = options.store.current();
      if (catalogue === undefined) return unavailable(site);
      const memo = rendered.get(catalogue) ?? new Map<string, Page>();
      rendered.set(catalogue, memo);
      const path = new URL(context.req.url).pathname;
      const input: RenderInput = { site, catalogue, built };
      const answer = memo.get(path) ?? route.answer(input, context.req.param(), path);
      // Only what exists, under its plain spelling: the memory is bounded by the site, not by what is asked for.
      if ('body' in answer && answer.status === 200 && !path.includes('%')) memo.set(path, answer);
      return 'body' in answer ? respond(answer, context.req.raw.headers, options.now()) : redirect(answer);
    });
  }
}

function redirect({ location, status }: Redirect): Response {
  return new Response(null, { status, headers: { location, 'cache-control': cacheControl('redirect') } });
}

/** `/tags/` to `/tags`. Only plain paths: `//elsewhere/` would become a redirect to another host. */
function withoutTrailingSlash(path: string): string | undefined {
  return /^(?:\/[\w-][\w.-]*)+\/$/.test(path) ? path.slice(0, -1) : undefined;
}

function methodNotAllowed(): Response {
  const headers = { allow: 'GET, HEAD', 'cache-control': cacheControl('never') };
  return new Response('Pages here can only be read.\n', { status: 405, headers });
}

function unavailable(site: Site): Response {
  const headers = { ...HTML_HEADERS, 'cache-control': cacheControl('never'), 'retry-after': '5' };
  return new Response(unavailablePage(site), {
    status: 503,
    headers: { ...headers, 'content-type': 'text/html; charset=utf-8' },
  });
}
