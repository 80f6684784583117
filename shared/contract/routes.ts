import { z } from 'zod';
import { ErrorBody } from './problem.ts';
import { PURGE_BODY_MAX, PurgeAccepted, PurgeRequest, PurgeStatus } from './purge.ts';
import { Health, HookAccepted, Ready, StatusReport, Version } from './status.ts';

/**
 * Who may call a route:
 * - `anyone`: no credential asked;
 * - `direct`: reached inside the cluster or on the machine itself, not through the edge or the tunnel;
 * - `token`: a bearer token of `BRIDGE_TOKENS`;
 * - `google`: a Google-signed OIDC ID token of an allowed account;
 * - `access`: a Cloudflare Access application JWT;
 * - `hmac`: a body signed with `FLUX_HMAC_KEY`.
 */
export type CallerKind = 'anyone' | 'direct' | 'token' | 'google' | 'access' | 'hmac';

export interface RouteContract {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Template in OpenAPI's notation; also the `route` label of the metrics. */
  readonly path: string;
  readonly summary: string;
  readonly callers: readonly CallerKind[];
  readonly bodyMaxBytes: number;
  readonly request?: z.ZodType;
  readonly responses: Readonly<Record<number, { description: string; body?: z.ZodType; contentType?: string }>>;
}

const refusal = (description: string) => ({ description, body: ErrorBody });
const authRefusals = {
  401: refusal('No credential, or one that does not hold.'),
  403: refusal('A valid credential that this route does not take.'),
};
const writers: readonly CallerKind[] = ['token', 'google', 'access'];
const readers: readonly CallerKind[] = ['direct', 'token', 'google', 'access'];
const get = { method: 'GET', bodyMaxBytes: 0 } as const;

/** The bridge's interface as data: routing, access, body limits, metrics labels and `/openapi.json` all read it. */
export const routes = {
  purge: {
    name: 'purge',
    method: 'POST',
    path: '/v1/purge',
    summary: 'Queue a purge; it is durable when this answers.',
    callers: writers,
    bodyMaxBytes: PURGE_BODY_MAX,
    request: PurgeRequest,
    responses: {
      202: { description: 'Accepted.', body: PurgeAccepted },
      400: refusal('The request does not hold; `field` says where.'),
      ...authRefusals,
      409: refusal('The id was used for another purge.'),
      413: refusal('The body is too large.'),
      503: refusal('The store is out of reach or the outbox full; nothing was accepted. See `Retry-After`.'),
    },
  },
  purgeStatus: {
    ...get,
    name: 'purgeStatus',
    path: '/v1/purges/{id}',
    summary: 'Every target with its attempts and outcome.',
    callers: writers,
    responses: {
      200: { description: 'Known.', body: PurgeStatus },
      ...authRefusals,
      404: refusal('No such purge, or older than the retention.'),
    },
  },
  hookFlux: {
    name: 'hookFlux',
    method: 'POST',
    path: '/v1/hooks/flux',
    summary:
      "Flux notification (provider type generic-hmac): look at the rollouts now. The body's content decides nothing.",
    callers: ['hmac'],
    bodyMaxBytes: 64 * 1024,
    responses: {
      202: { description: 'Taken as a hint.', body: HookAccepted },
      401: refusal('The signature does not match the body, or the event is too old.'),
      409: refusal('This event was delivered before.'),
      413: refusal('The body is too large.'),
    },
  },
  hookArgocd: {
    name: 'hookArgocd',
    method: 'POST',
    path: '/v1/hooks/argocd',
    summary: 'Argo CD notification (webhook service with a bearer token): look at the rollouts now.',
    callers: ['token'],
    bodyMaxBytes: 64 * 1024,
    responses: {
      202: { description: 'Taken as a hint.', body: HookAccepted },
      ...authRefusals,
      413: refusal('The body is too large.'),
    },
  },
  health: {
    ...get,
    name: 'health',
    path: '/health',
    summary: 'The process lives. Asks no dependency.',
    callers: ['anyone'],
    responses: { 200: { description: 'Alive.', body: Health } },
  },
  ready: {
    ...get,
    name: 'ready',
    path: '/ready',
    summary: 'It can accept work: the store answers and it is not stopping.',
    callers: ['anyone'],
    responses: { 200: { description: 'Ready.', body: Ready }, 503: { description: 'Not ready.', body: Ready } },
  },
  version: {
    ...get,
    name: 'version',
    path: '/version',
    summary: 'What is running.',
    callers: ['anyone'],
    responses: { 200: { description: 'Version.', body: Version } },
  },
  metrics: {
    ...get,
    name: 'metrics',
    path: '/metrics',
    summary: 'Prometheus metrics.',
    callers: ['direct', 'token'],
    responses: { 200: { description: 'Text exposition format.', contentType: 'text/plain' }, ...authRefusals },
  },
  status: {
    ...get,
    name: 'status',
    path: '/v1/status',
    summary: 'Every dependency with its last good time; a page for a browser.',
    callers: readers,
    responses: { 200: { description: 'Status.', body: StatusReport }, ...authRefusals },
  },
  openapi: {
    ...get,
    name: 'openapi',
    path: '/openapi.json',
    summary: 'This interface, for machines.',
    callers: ['anyone'],
    responses: { 200: { description: 'OpenAPI 3.1.', body: z.record(z.string(), z.unknown()) } },
  },
} as const satisfies Record<string, RouteContract>;
export type RouteName = keyof typeof routes;
