import { z } from 'zod';
import { ErrorBody } from './problem.ts';
import { PURGE_BODY_MAX, PurgeAccepted, PurgeRequest, PurgeStatus } from './purge.ts';
import { Health, HookAccepted, Ready, StatusReport, Version } from './status.ts';
import { Job, JobAccepted, SUMMARY_BODY_MAX, Summary, SummaryRemoved, SummaryRequest } from './summary.ts';

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
  /** Request fields that change the answer, with what they do. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A response may have a JSON body, another content type, or either as the caller asks. */
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
  summaries: {
    name: 'summaries',
    method: 'POST',
    path: '/v1/summaries',
    summary: 'Summarise a comment thread: within the deadline, and labelled with who made it and what it covers.',
    callers: writers,
    bodyMaxBytes: SUMMARY_BODY_MAX,
    request: SummaryRequest,
    headers: {
      Prefer: '`respond-async`: a durable job instead of an answer; `wait=N`: N seconds at most (RFC 7240).',
    },
    responses: {
      200: {
        description:
          'The summary. With `Accept: text/event-stream` events: `progress`, `text` (provisional) and, last, `summary` or `error`.',
        body: Summary,
        contentType: 'text/event-stream',
      },
      202: { description: 'A durable job; see `Location` and `Preference-Applied`.', body: JobAccepted },
      400: refusal('The request does not hold; `field` says where. `no-comment-source`: send the thread itself.'),
      ...authRefusals,
      404: refusal('The comment source has no such thread.'),
      409: refusal('The id was used for another job.'),
      413: refusal('The body is too large.'),
      429: refusal('This caller has too much waiting already. See `Retry-After`.'),
      503: refusal('The queue is full, or a job cannot be made durable. See `Retry-After`.'),
    },
  },
  summaryJob: {
    ...get,
    name: 'summaryJob',
    path: '/v1/summaries/{id}',
    summary: 'A job: its state, and its summary once it is done.',
    callers: writers,
    responses: {
      200: { description: 'Known.', body: Job },
      ...authRefusals,
      404: refusal('No such job, or older than the retention.'),
      503: refusal('The store is out of reach. See `Retry-After`.'),
    },
  },
  threadSummary: {
    ...get,
    name: 'threadSummary',
    path: '/v1/threads/{id}/summary',
    summary: 'The last good summary of a thread. Public ones may be kept by any cache, under the tag `thread:<id>`.',
    callers: ['anyone', ...writers],
    headers: { 'If-None-Match': 'Entity tags already held.' },
    responses: {
      200: { description: 'The summary, with a strong `ETag`.', body: Summary },
      304: { description: 'Unchanged.' },
      401: refusal('The thread is private: send a credential.'),
      404: refusal('No summary of this thread.'),
      503: refusal('The store is out of reach. See `Retry-After`.'),
    },
  },
  deleteThreadSummary: {
    name: 'deleteThreadSummary',
    method: 'DELETE',
    path: '/v1/threads/{id}/summary',
    summary: 'Remove what is kept of a thread and take it off the edge; what is being generated of it is dropped.',
    callers: writers,
    bodyMaxBytes: 0,
    responses: {
      202: { description: 'Removed; the purge is on its way.', body: SummaryRemoved },
      400: refusal('No id that a thread could have.'),
      ...authRefusals,
      503: refusal('The store is out of reach; nothing was removed. See `Retry-After`.'),
    },
  },
  deleteComment: {
    name: 'deleteComment',
    method: 'DELETE',
    path: '/v1/threads/{id}/comments/{commentId}',
    summary: 'A comment was removed or hidden: whatever was made from it goes, here and at the edge.',
    callers: writers,
    bodyMaxBytes: 0,
    responses: {
      202: { description: 'Forgotten; the purge is on its way.', body: SummaryRemoved },
      400: refusal('No ids that a thread and a comment could have.'),
      ...authRefusals,
      503: refusal('The store is out of reach; nothing was removed. See `Retry-After`.'),
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
