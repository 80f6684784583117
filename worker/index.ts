import { App } from './app.ts';
import { assemble } from './assemble.ts';
import { type EdgeEnv, readConfig } from './config.ts';
import type { PlatformCache } from './stage/workers-cache.ts';

export { Ledger } from './ledger/ledger.ts';

let app: App | undefined;

/** The isolate's app: built with the first request, since bindings and caches exist only then. */
function appOf(env: EdgeEnv, ctx: ExecutionContext): App {
  if (app !== undefined) return app;
  const read = readConfig(env as unknown as Record<string, unknown>);
  if ('error' in read) throw new Error(read.error);
  app = new App(assemble(env, read.config, (ctx as { cache?: PlatformCache }).cache));
  return app;
}

export default {
  fetch(request: Request, env: EdgeEnv, ctx: ExecutionContext): Response | Promise<Response> {
    return appOf(env, ctx).fetch(request, (work) => ctx.waitUntil(work));
  },
};
