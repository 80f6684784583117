/**
 * Who may call which route of the bridge, and how much they may send: the part of the interface that the edge enforces too, apart
 * from the schemas so that it fits into a Worker.
 *
 * - `anyone`: no credential asked;
 * - `direct`: reached inside the cluster or on the machine itself, not through the edge or the tunnel;
 * - `token`: a bearer token of `BRIDGE_TOKENS`;
 * - `google`: a Google-signed OIDC ID token of an allowed account;
 * - `access`: a Cloudflare Access application JWT;
 * - `hmac`: a body signed with `FLUX_HMAC_KEY`.
 */
export type CallerKind = 'anyone' | 'direct' | 'token' | 'google' | 'access' | 'hmac';

export interface RouteAccess {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Template in OpenAPI's notation; also the `route` label of the metrics. */
  readonly path: string;
  readonly callers: readonly CallerKind[];
  readonly bodyMaxBytes: number;
}

const writers: readonly CallerKind[] = ['token', 'google', 'access'];
const readers: readonly CallerKind[] = ['direct', ...writers];
const get = (path: string, callers: readonly CallerKind[]) =>
  ({ method: 'GET', path, callers, bodyMaxBytes: 0 }) as const;
const post = (path: string, callers: readonly CallerKind[], bodyMaxBytes: number) =>
  ({ method: 'POST', path, callers, bodyMaxBytes }) as const;
const remove = (path: string) => ({ method: 'DELETE', path, callers: writers, bodyMaxBytes: 0 }) as const;
const KB = 1024;

export const access = {
  purge: post('/v1/purge', writers, 256 * KB),
  purgeStatus: get('/v1/purges/{id}', writers),
  summaries: post('/v1/summaries', writers, 8192 * KB),
  summaryJob: get('/v1/summaries/{id}', writers),
  threadSummary: get('/v1/threads/{id}/summary', ['anyone', ...writers]),
  deleteThreadSummary: remove('/v1/threads/{id}/summary'),
  deleteComment: remove('/v1/threads/{id}/comments/{commentId}'),
  hookFlux: post('/v1/hooks/flux', ['hmac'], 64 * KB),
  hookArgocd: post('/v1/hooks/argocd', ['token'], 64 * KB),
  health: get('/health', ['anyone']),
  ready: get('/ready', ['anyone']),
  version: get('/version', ['anyone']),
  metrics: get('/metrics', ['direct', 'token']),
  status: get('/v1/status', readers),
  openapi: get('/openapi.json', ['anyone']),
} as const satisfies Record<string, RouteAccess>;
