import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ErrorBody } from '../../shared/contract/problem.ts';
import type { BridgeEnv } from './env.ts';

export interface Refused {
  readonly status: ContentfulStatusCode;
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  readonly headers?: Record<string, string>;
}

/** Nobody reads it, but the log and the metrics have one more answer. */
export const callerLeft: Refused = { status: 408, code: 'caller-left', message: 'The caller has left.' };

/** Every refusal leaves through here, so that all have one shape. */
export function refuse(context: Context<BridgeEnv>, refused: Refused): Response {
  const { status, code, message, field, headers } = refused;
  const requestId = context.get('requestId');
  context.set('refusal', code);
  const body: ErrorBody = { error: { code, message, ...(field ? { field } : {}), requestId } };
  return context.json(body, status, { 'cache-control': 'no-store', ...headers });
}
