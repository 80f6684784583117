import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import type { Gate } from '../../shared/access/gate.ts';
import { routes } from '../../shared/contract/routes.ts';
import { DEADLINE_MS, type JobAccepted, SummaryRequest, type Thread } from '../../shared/contract/summary.ts';
import { parseJson } from '../http/body.ts';
import type { BridgeEnv } from '../http/env.ts';
import { callerLeft, type Refused, refuse } from '../http/errors.ts';
import { type App, mount } from '../http/route.ts';
import { storable } from './digest.ts';
import { DEAF } from './parts.ts';
import { type Preferences, preferenceApplied, readPrefer } from './prefer.ts';
import { noComments, overloaded, sourceRefusals, storeAway } from './refusals.ts';
import type { Began, SummaryService } from './service.ts';
import type { CommentSource, Found } from './source.ts';
import { EVENT_STREAM_HEADERS, eventStream } from './sse.ts';
import type { JobStore } from './store/jobs.ts';
import type { Listen } from './types.ts';
import { type Ask, within } from './wish.ts';

export interface SummaryRoutes {
  readonly gate: Gate;
  readonly service: Pick<SummaryService, 'begin'>;
  readonly jobs: Pick<JobStore, 'accept' | 'read'>;
  readonly source: CommentSource | null;
  readonly now: () => number;
  readonly newId: () => string;
  readonly heartbeatMs: number;
  /** A job was accepted. */
  readonly accepted: () => void;
  /** Milliseconds until so many jobs are done, by what is known of their pace. */
  readonly paceMs: (jobs: number) => number;
}

type Ctx = Context<BridgeEnv>;

export function mountSummaryRoutes(app: App, parts: SummaryRoutes): void {
  mount(app, routes.summaries, parts.gate, async (context) => {
    const acceptedAt = parts.now();
    const read = readRequest(context);
    if (!read.ok) return refuse(context, read.refused);
    const preferences = readPrefer(context.req.header('prefer'));
    if (read.request.thread === undefined && parts.source === null)
      return refuse(context, sourceRefusals['no-comment-source']);
    if (preferences.respondAsync) return acceptJob(context, parts, read.request, preferences);
    const { options } = read.request;
    const { kind, name } = context.get('caller');
    const waitMs = Math.max(DEADLINE_MS.min, (preferences.wait ?? Number.POSITIVE_INFINITY) * 1000);
    const deadlineMs = Math.min(waitMs, options.deadlineMs ?? DEADLINE_MS[options.priority]);
    const found = await threadOf(read.request, parts.source, acceptedAt + deadlineMs - parts.now());
    if (!found.ok) return refuse(context, found.refused);
    const ask = {
      thread: found.thread,
      options,
      caller: `${kind}:${name}`,
      acceptedAt,
      deadlineAt: acceptedAt + deadlineMs,
    };
    const applied = preferenceApplied(preferences);
    const headers = applied === null ? {} : { 'preference-applied': applied };
    return (context.req.header('accept') ?? '').includes('text/event-stream')
      ? answerEvents(context, parts, ask, headers)
      : answerJson(context, parts, ask, headers);
  });

  mount(app, routes.summaryJob, parts.gate, async (context) => {
    const job = await within(parts.jobs.read(context.req.param('id') ?? ''), READ_MS).catch(() => 'away' as const);
    if (job === 'away') return refuse(context, storeAway('The store does not answer: try again.'));
    if (job) return context.json(job, 200, noStore);
    const message = 'No such job: the id is wrong, or it is older than the retention.';
    return refuse(context, { status: 404, code: 'unknown-job', message });
  });
}

const noStore = { 'cache-control': 'no-store' };
const READ_MS = 3000;

type ReadRequest =
  | { readonly ok: true; readonly request: SummaryRequest }
  | { readonly ok: false; readonly refused: Refused };

function readRequest(context: Ctx): ReadRequest {
  const json = parseJson(context.get('rawBody'));
  // Some megabytes, which would otherwise be held until the answer.
  context.set('rawBody', new Uint8Array());
  if (!json.ok) return { ok: false, refused: { status: 400, code: 'not-json', message: json.message } };
  const parsed = SummaryRequest.safeParse(json.value);
  if (parsed.success) {
    const { thread, ...rest } = parsed.data;
    return { ok: true, request: thread ? { ...rest, thread: storable(thread) } : rest };
  }
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  const message = issue?.message ?? 'The request does not hold.';
  return { ok: false, refused: { status: 400, code: 'invalid', message, field } };
}

type FoundThread = { readonly ok: true; readonly thread: Thread } | { readonly ok: false; readonly refused: Refused };

/** The thread of a request, read within `ms` where it has to be read. */
async function threadOf(
  { thread, threadId }: SummaryRequest,
  source: CommentSource | null,
  ms: number,
): Promise<FoundThread> {
  if (thread) return { ok: true, thread };
  if (source === null || threadId === undefined) return { ok: false, refused: sourceRefusals['no-comment-source'] };
  const found = await within(source.thread(threadId), ms).catch((): Found => {
    const message = 'The comment source did not answer by the deadline: try again, or send the thread itself.';
    return { ok: false, reason: 'unreachable', message };
  });
  if (found.ok) return { ok: true, thread: storable(found.thread) };
  return { ok: false, refused: { ...sourceRefusals[found.reason], message: found.message } };
}

async function answerJson(context: Ctx, { service }: SummaryRoutes, ask: Ask, headers: object): Promise<Response> {
  const began = await service.begin(ask, { signal: context.req.raw.signal, listen: DEAF });
  if (began.kind === 'refused') return refuse(context, refusalOf(began));
  const summary = began.kind === 'ready' ? began.summary : await began.result;
  if (summary === null) return refuse(context, callerLeft);
  return context.json(summary, 200, { ...noStore, ...headers });
}

async function answerEvents(context: Ctx, parts: SummaryRoutes, ask: Ask, headers: object): Promise<Response> {
  const left = new AbortController();
  const early: Parameters<Listen>[] = [];
  let listen: Listen = (...event) => void early.push(event);
  const signal = AbortSignal.any([context.req.raw.signal, left.signal]);
  const began = await parts.service.begin(ask, { signal, listen: (...event) => listen(...event) });
  // Still an ordinary answer: the stream's status is sent with its first byte.
  if (began.kind === 'refused') return refuse(context, refusalOf(began));
  const stream = eventStream(
    (sink) => {
      listen = (event, data) => {
        if (event === 'progress' || event === 'text') sink.send(event, data);
      };
      for (const event of early) listen(...event);
      const result = began.kind === 'ready' ? Promise.resolve(began.summary) : began.result;
      result
        .then((summary) => summary && sink.send('summary', summary))
        .catch(() => sink.send('error', { code: 'internal', message: 'The bridge failed; the log has it.' }))
        .finally(() => sink.close());
    },
    { heartbeatMs: parts.heartbeatMs, gone: () => left.abort() },
  );
  return context.body(stream, 200, { ...EVENT_STREAM_HEADERS, ...headers });
}

function refusalOf(began: Extract<Began, { kind: 'refused' }>): Refused {
  return began.reason === 'no-comments' ? noComments : overloaded(began.reason, began.retryAfterMs);
}

async function acceptJob(
  context: Ctx,
  parts: SummaryRoutes,
  request: SummaryRequest,
  preferences: Preferences,
): Promise<Response> {
  const { id = parts.newId(), ...rest } = request;
  const body = JSON.stringify(rest);
  const { kind, name } = context.get('caller');
  const accepting = parts.jobs.accept({
    id,
    caller: `${kind}:${name}`,
    digest: createHash('sha256').update(body).digest('base64url'),
    threadId: request.thread?.id ?? request.threadId ?? '',
    priority: request.options.priority,
    body,
    acceptedAt: new Date(parts.now()),
  });
  const result = await within(accepting, READ_MS).catch(() => null);
  if (result === null)
    return refuse(context, storeAway('The job could not be made durable, so it was not accepted: try again.'));
  if (result.kind === 'conflict') {
    const message = 'This id was used for another job: give a new job a new id.';
    return refuse(context, { status: 409, code: 'id-in-use', message, field: 'id' });
  }
  if (result.kind === 'full') return refuse(context, overloaded('full', parts.paceMs(result.waiting)));
  parts.accepted();
  const headers = { ...noStore, 'preference-applied': preferenceApplied(preferences) ?? '' };
  const summary =
    preferences.wait === null ? null : await settled(parts, id, preferences.wait * 1000, context.req.raw.signal);
  if (summary !== null) return context.json(summary, 200, headers);
  const status = `/v1/summaries/${encodeURIComponent(id)}`;
  const accepted: JobAccepted = { id, acceptedAt: result.acceptedAt.toISOString(), replayed: result.replayed, status };
  return context.json(accepted, 202, { ...headers, location: status });
}

const LOOK_MS = 100;

/** The job's summary if it is there within `ms`. */
async function settled({ jobs, now }: SummaryRoutes, id: string, ms: number, signal: AbortSignal) {
  const until = now() + Math.min(ms, DEADLINE_MS.max);
  while (now() < until && !signal.aborted) {
    const job = await jobs.read(id).catch(() => null);
    if (job?.state === 'done' || job?.state === 'failed') return job.summary;
    await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, Math.max(1, until - now()))));
  }
  return null;
}
