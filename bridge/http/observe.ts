import type { MiddlewareHandler } from 'hono';
import type { Metrics } from '../health/metrics.ts';
import type { Logger } from '../log.ts';
import type { BridgeEnv } from './env.ts';

/** Asked every few seconds by machines: worth counting, not worth a line each. */
const quiet = new Set(['/health', '/ready', '/metrics']);

/**
 * Gives every request an id, the edge's where it sent one, and counts and logs it once by its route template: unknown paths and methods
 * share one label, so that nobody can make metrics grow.
 */
export function observe(
  metrics: Metrics,
  log: Logger,
  now: () => number,
  newId: () => string,
): MiddlewareHandler<BridgeEnv> {
  return async (context, next) => {
    const startedAt = now();
    const given = context.req.header('x-request-id') ?? context.req.header('cf-ray') ?? '';
    const requestId = /^[\w.:-]{8,128}$/.test(given) ? given : newId();
    context.set('requestId', requestId);
    // Now, as one that is set on a response costs its copy as a stream.
    context.header('x-request-id', requestId);
    await next();
    const contract = context.get('route');
    const route = contract?.path ?? 'unknown';
    const labels = { method: contract?.method ?? 'other', route, status: String(context.res.status) };
    const ms = Math.max(0, now() - startedAt);
    metrics.requests.inc(labels);
    metrics.requestSeconds.observe(labels, ms / 1000);
    if (quiet.has(route) && context.res.status < 500) return;
    const caller = context.get('caller');
    const refusal = context.get('refusal');
    log[context.res.status >= 500 ? 'warn' : 'info'](
      {
        requestId,
        ...labels,
        ms,
        ...(caller ? { caller: `${caller.kind}:${caller.name}` } : {}),
        ...(refusal ? { refusal } : {}),
      },
      'request',
    );
  };
}
