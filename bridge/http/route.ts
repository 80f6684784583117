import type { Context, Handler, Hono } from 'hono';
import type { Refusal } from '../../shared/access/claims.ts';
import { type Gate, identify } from '../../shared/access/gate.ts';
import type { RouteContract } from '../../shared/contract/routes.ts';
import { readBody } from './body.ts';
import type { BridgeEnv } from './env.ts';
import { callerLeft, refuse } from './errors.ts';

export type App = Hono<BridgeEnv>;

/**
 * Mounts a handler under its contract: the caller is identified first, then the body read up to the route's limit, and only then is
 * anything parsed. A `hmac` route proves its caller by the body, so its handler does.
 */
export function mount(app: App, contract: RouteContract, gate: Gate, handler: Handler<BridgeEnv>): void {
  app.on(contract.method, contract.path.replace(/\{(\w+)\}/g, ':$1'), async (context, next) => {
    context.set('route', contract);
    if (!contract.callers.includes('hmac')) {
      const verdict = await identify(context.req.raw.headers, contract.callers, gate);
      if (!verdict.ok) return unauthorized(context, verdict.reason);
      context.set('caller', verdict.value);
    }
    if (contract.bodyMaxBytes > 0) {
      const declared = context.req.header('content-length');
      const body = await readBody(context.env.incoming, declared, contract.bodyMaxBytes);
      if (body === 'caller-left') return refuse(context, callerLeft);
      if (body === 'too-large') {
        return refuse(context, {
          status: 413,
          code: 'body-too-large',
          message: `The body is longer than ${contract.bodyMaxBytes} bytes: send less at a time.`,
          headers: { connection: 'close' },
        });
      }
      context.set('rawBody', body);
    }
    return handler(context, next);
  });
}

function unauthorized(context: Context<BridgeEnv>, reason: Refusal): Response {
  if (reason === 'caller-not-taken-here' || reason === 'not-on-allow-list' || reason === 'email-not-verified') {
    return refuse(context, {
      status: 403,
      code: reason,
      message: 'The credential is valid, but does not open this route.',
    });
  }
  if (reason === 'keys-unavailable') {
    const message = "The issuer's keys cannot be read now: try again.";
    return refuse(context, { status: 503, code: reason, message, headers: { 'retry-after': '5' } });
  }
  const message =
    reason === 'missing-credential'
      ? 'Send a credential: Authorization: Bearer <token>.'
      : 'The credential does not hold: check token, audience and expiry.';
  const headers = { 'www-authenticate': 'Bearer realm="porchlight"' };
  return refuse(context, { status: 401, code: reason, message, headers });
}
