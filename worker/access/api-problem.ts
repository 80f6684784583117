import type { Refusal } from '../../shared/access/claims.ts';

/** A refusal in the shape of the bridge's contract (`shared/contract/problem.ts`). */
export interface ApiProblem {
  readonly status: number;
  readonly code: string;
  /** What, and what to do. */
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function problemAnswer({ status, code, message, headers }: ApiProblem, requestId: string): Response {
  return Response.json(
    { error: { code, message, requestId } },
    {
      status,
      headers: {
        'cache-control': 'no-store',
        'cache-status': `porchlight; detail=${code}`,
        'x-request-id': requestId,
        ...headers,
      },
    },
  );
}

export const tooLarge = (bytes: number): ApiProblem => ({
  status: 413,
  code: 'body-too-large',
  message: `The body is longer than ${bytes} bytes: send less at a time.`,
});

/** 403 for who is known but not let in here, 503 where that cannot be said now, 401 for everything else. */
export function credentialProblem(reason: Refusal): ApiProblem {
  if (reason === 'caller-not-taken-here' || reason === 'not-on-allow-list' || reason === 'email-not-verified')
    return { status: 403, code: reason, message: 'The credential is valid, but does not open this route.' };
  if (reason === 'keys-unavailable') {
    const message = "The issuer's keys cannot be read now: try again.";
    return { status: 503, code: reason, message, headers: { 'retry-after': '5' } };
  }
  const message =
    reason === 'missing-credential'
      ? 'Send a credential: Authorization: Bearer <token>.'
      : 'The credential does not hold: check token, audience and expiry.';
  return { status: 401, code: reason, message, headers: { 'www-authenticate': 'Bearer realm="porchlight"' } };
}
