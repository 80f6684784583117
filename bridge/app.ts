import { Hono } from 'hono';
import type { Metrics } from './health/metrics.ts';
import type { BridgeEnv } from './http/env.ts';
import { refuse } from './http/errors.ts';
import { observe } from './http/observe.ts';
import type { App } from './http/route.ts';
import type { Logger } from './log.ts';

export interface AppParts {
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly newId: () => string;
  /** Each mounts the routes of one concern. */
  readonly mounts: readonly ((app: App) => void)[];
}

export function createApp({ metrics, log, now, newId, mounts }: AppParts): App {
  const app = new Hono<BridgeEnv>();
  app.use(observe(metrics, log, now, newId));
  for (const mountRoutes of mounts) mountRoutes(app);
  app.notFound((context) =>
    refuse(context, { status: 404, code: 'no-such-route', message: 'No such route: see /openapi.json.' }),
  );
  app.onError((error, context) => {
    log.error({ requestId: context.get('requestId'), error: error.message, stack: error.stack }, 'failed');
    return refuse(context, {
      status: 500,
      code: 'internal',
      message: 'The bridge failed; the log has it under this request id.',
    });
  });
  return app;
}
