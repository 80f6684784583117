import type { Refusal } from '../../shared/access/claims.ts';
import { CALLER_ASSERTION, type Gate, identify } from '../../shared/access/gate.ts';
import type { RouteAccess } from '../../shared/contract/access.ts';
import { apiRoute } from '../policy/api.ts';
import type { ClientFacts } from '../policy/forward.ts';
import { type ApiProblem, credentialProblem, problemAnswer, tooLarge } from './api-problem.ts';
import { capped } from './capped.ts';

export interface ApiGuardOptions {
  /** null where the edge holds no credentials to compare with: the bridge, which checks everything by itself, is then alone. */
  readonly gate: (() => Promise<Gate>) | null;
  /** May who goes by this key send one more request now? */
  readonly mayCall: (key: string) => Promise<boolean>;
}

type Called = { readonly ok: true; readonly name: string | null } | { readonly ok: false; readonly reason: Refusal };

/**
 * The bridge's interface at the edge: what the contract does not know, or does not let this caller do, never reaches home. A stranger
 * costs a look at a credential, and has as many of those a minute as one address may.
 */
export class ApiGuard {
  readonly #options: ApiGuardOptions;

  constructor(options: ApiGuardOptions) {
    this.#options = options;
  }

  /** Sends what may pass on with `pass`; both bodies stream. */
  async answer(
    request: Request,
    path: string,
    client: ClientFacts,
    pass: (request: Request) => Promise<Response>,
  ): Promise<Response> {
    const found = apiRoute(request.method, path);
    if (found.kind !== 'route') return problemAnswer(found.problem, client.requestId);
    const problem = await this.#problem(request, found.route, client.address);
    if (problem !== undefined) {
      request.body?.cancel().catch(() => undefined);
      return problemAnswer(problem, client.requestId);
    }
    const { body, exceeded } = capped(request, found.route.bodyMaxBytes);
    const response = await pass(asCaller(request, body));
    if (!exceeded()) return response;
    response.body?.cancel().catch(() => undefined);
    return problemAnswer(tooLarge(found.route.bodyMaxBytes), client.requestId);
  }

  async #problem(request: Request, route: RouteAccess, address = ''): Promise<ApiProblem | undefined> {
    const caller = await this.#caller(request.headers, route);
    const key = caller.ok && caller.name !== null ? caller.name : `address:${address}`;
    if (!(await this.#options.mayCall(key))) return LIMITED;
    if (!caller.ok) return credentialProblem(caller.reason);
    const declared = Number(request.headers.get('content-length') ?? '0');
    return declared > route.bodyMaxBytes ? tooLarge(route.bodyMaxBytes) : undefined;
  }

  async #caller(headers: Headers, route: RouteAccess): Promise<Called> {
    const { gate } = this.#options;
    // A signed hook proves itself by its body, which is the bridge's to check.
    if (gate === null || route.callers.includes('hmac')) return { ok: true, name: null };
    const verdict = await identify(headers, route.callers, await gate());
    if (!verdict.ok) return verdict;
    const { kind, name } = verdict.value;
    return { ok: true, name: kind === 'anyone' || kind === 'direct' ? null : `${kind}:${name}` };
  }
}

const LIMITED: ApiProblem = {
  status: 429,
  code: 'rate-limited',
  message: 'Too many requests: wait a minute.',
  headers: { 'retry-after': '60' },
};

/** What the caller itself presented to Cloudflare Access goes on under a name that the tunnel's own token does not overwrite. */
function asCaller(request: Request, body: ReadableStream | null): Request {
  const headers = new Headers(request.headers);
  const assertion = headers.get('cf-access-jwt-assertion');
  headers.delete(CALLER_ASSERTION);
  if (assertion !== null) headers.set(CALLER_ASSERTION, assertion);
  return new Request(request.url, { method: request.method, headers, body, redirect: 'manual' });
}
