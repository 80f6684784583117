import { z } from 'zod';
import { access, type RouteAccess } from './access.ts';
import { ErrorBody } from './problem.ts';
import { PurgeAccepted, PurgeRequest, PurgeStatus } from './purge.ts';
import { Health, HookAccepted, Ready, StatusReport, Version } from './status.ts';
import { Job, JobAccepted, Summary, SummaryRemoved, SummaryRequest } from './summary.ts';

export interface RouteContract extends RouteAccess {
  readonly name: string;
  readonly summary: string;
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

/** The bridge's interface as data: routing, access, body limits, metrics labels and `/openapi.json` all read it. */
export const routes = {
  purge: {
    ...access.purge,
    name: 'purge',
    summary: 'Queue a purge; it is durable when this answers.',
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
    ...access.purgeStatus,
    name: 'purgeStatus',
    summary: 'Every target with its attempts and outcome.',
    responses: {
      200: { description: 'Known.', body: PurgeStatus },
      ...authRefusals,
      404: refusal('No such purge, or older than the retention.'),
    },
  },
  summaries: {
    ...access.summaries,
    name: 'summaries',
    summary: 'Summarise a comment thread: within the deadline, and labelled with who made it and what it covers.',
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
    ...access.summaryJob,
    name: 'summaryJob',
    summary: 'A job: its state, and its summary once it is done.',
    responses: {
      200: { description: 'Known.', body: Job },
      ...authRefusals,
      404: refusal('No such job, or older than the retention.'),
      503: refusal('The store is out of reach. See `Retry-After`.'),
    },
  },
  threadSummary: {
    ...access.threadSummary,
    name: 'threadSummary',
    summary: 'The last good summary of a thread. Public ones may be kept by any cache, under the tag `thread:<id>`.',
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
    ...access.deleteThreadSummary,
    name: 'deleteThreadSummary',
    summary:
      'Remove what is kept of a thread and take it off the edge; what is being generated of it is dropped, and its comments are left out of what arrives in the next ten minutes.',
    responses: {
      202: { description: 'Removed; the purge is on its way.', body: SummaryRemoved },
      400: refusal('No id that a thread could have.'),
      ...authRefusals,
      503: refusal('The store is out of reach; nothing was removed. See `Retry-After`.'),
    },
  },
  deleteComment: {
    ...access.deleteComment,
    name: 'deleteComment',
    summary: 'A comment was removed or hidden: whatever was made from it goes, here and at the edge.',
    responses: {
      202: { description: 'Forgotten; the purge is on its way.', body: SummaryRemoved },
      400: refusal('No ids that a thread and a comment could have.'),
      ...authRefusals,
      503: refusal('The store is out of reach; nothing was removed. See `Retry-After`.'),
    },
  },
  hookFlux: {
    ...access.hookFlux,
    name: 'hookFlux',
    summary:
      "Flux notification (provider type generic-hmac): look at the rollouts now. The body's content decides nothing.",
    responses: {
      202: { description: 'Taken as a hint.', body: HookAccepted },
      401: refusal('The signature does not match the body, or the event is too old.'),
      409: refusal('This event was delivered before.'),
      413: refusal('The body is too large.'),
    },
  },
  hookArgocd: {
    ...access.hookArgocd,
    name: 'hookArgocd',
    summary: 'Argo CD notification (webhook service with a bearer token): look at the rollouts now.',
    responses: {
      202: { description: 'Taken as a hint.', body: HookAccepted },
      ...authRefusals,
      413: refusal('The body is too large.'),
    },
  },
  health: {
    ...access.health,
    name: 'health',
    summary: 'The process lives. Asks no dependency.',
    responses: { 200: { description: 'Alive.', body: Health } },
  },
  ready: {
    ...access.ready,
    name: 'ready',
    summary: 'It can accept work: the store answers and it is not stopping.',
    responses: { 200: { description: 'Ready.', body: Ready }, 503: { description: 'Not ready.', body: Ready } },
  },
  version: {
    ...access.version,
    name: 'version',
    summary: 'What is running.',
    responses: { 200: { description: 'Version.', body: Version } },
  },
  metrics: {
    ...access.metrics,
    name: 'metrics',
    summary: 'Prometheus metrics.',
    responses: { 200: { description: 'Text exposition format.', contentType: 'text/plain' }, ...authRefusals },
  },
  status: {
    ...access.status,
    name: 'status',
    summary: 'Every dependency with its last good time; a page for a browser.',
    responses: { 200: { description: 'Status.', body: StatusReport }, ...authRefusals },
  },
  openapi: {
    ...access.openapi,
    name: 'openapi',
    summary: 'This interface, for machines.',
    responses: { 200: { description: 'OpenAPI 3.1.', body: z.record(z.string(), z.unknown()) } },
  },
} as const satisfies Record<string, RouteContract>;
export type RouteName = keyof typeof routes;
