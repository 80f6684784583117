import type { Context } from 'hono';
import type { Gate } from '../../shared/access/gate.ts';
import { routes } from '../../shared/contract/routes.ts';
import { CommentId, type SummaryRemoved, ThreadId } from '../../shared/contract/summary.ts';
import type { BridgeEnv } from '../http/env.ts';
import { refuse } from '../http/errors.ts';
import { type App, mount } from '../http/route.ts';
import { storeAway } from './refusals.ts';
import type { SummaryService } from './service.ts';
import type { Removed } from './store/removal.ts';
import type { Threads } from './store/threads.ts';
import { threadTag } from './store/withdraw.ts';
import { within } from './wish.ts';

export interface ThreadRoutes {
  readonly gate: Gate;
  readonly threads: Threads;
  readonly service: Pick<SummaryService, 'supersede'>;
  readonly now: () => number;
}

const READ_MS = 3000;

/**
 * Only caches that hear of purges may answer without asking: a browser asks each time (a 304 costs nothing), so that words taken down
 * are not shown from its own cache.
 */
const PUBLIC = {
  'cache-control': 'public, no-cache',
  'cdn-cache-control': 'public, max-age=60, stale-while-revalidate=86400, stale-if-error=604800',
};
const PRIVATE = { 'cache-control': 'private, no-store' };

export function mountThreadRoutes(app: App, { gate, threads, service, now }: ThreadRoutes): void {
  mount(app, routes.threadSummary, gate, async (context) => {
    const id = context.req.param('id') ?? '';
    const known = ThreadId.safeParse(id).success;
    const latest = known && (await within(threads.latest(id), READ_MS).catch(() => 'away' as const));
    if (latest === 'away') return refuse(context, storeAway('The store does not answer: try again.'));
    if (!latest) {
      const message = 'No summary of this thread: POST /v1/summaries makes one.';
      return refuse(context, { status: 404, code: 'no-summary', message });
    }
    const isPublic = latest.visibility === 'public';
    if (!isPublic && context.get('caller').kind === 'anyone') {
      const headers = { 'www-authenticate': 'Bearer realm="porchlight"' };
      const message = 'The thread is private: send Authorization: Bearer <token>.';
      return refuse(context, { status: 401, code: 'missing-credential', message, headers });
    }
    const headers = { etag: latest.etag, ...(isPublic ? { ...PUBLIC, 'cache-tag': threadTag(id) } : PRIVATE) };
    if (matches(context.req.header('if-none-match'), latest.etag)) return context.body(null, 304, headers);
    return context.json(latest.summary, 200, headers);
  });

  mount(app, routes.deleteThreadSummary, gate, (context) => {
    const id = context.req.param('id') ?? '';
    if (!ThreadId.safeParse(id).success) return refuse(context, noSuchId);
    return removed(context, id, service, threads.remove(id, now()));
  });

  mount(app, routes.deleteComment, gate, (context) => {
    const id = context.req.param('id') ?? '';
    const commentId = context.req.param('commentId') ?? '';
    if (!ThreadId.safeParse(id).success || !CommentId.safeParse(commentId).success) return refuse(context, noSuchId);
    return removed(context, id, service, threads.removeComment(id, commentId, now()));
  });
}

const noSuchId = {
  status: 400,
  code: 'invalid',
  message: 'An id is letters, digits, and _ . : ~ -, at most 200 of them for a thread and 128 for a comment.',
} as const;

async function removed(
  context: Context<BridgeEnv>,
  threadId: string,
  service: ThreadRoutes['service'],
  removing: Promise<Removed>,
): Promise<Response> {
  // What waits or is being generated goes first: its late result would be refused, but its waiters should not get it either.
  service.supersede(threadId, removing);
  try {
    const result = await within(removing, READ_MS);
    service.supersede(threadId);
    const { purgeId } = result;
    const body: SummaryRemoved = { threadId, ...result, status: purgeId && `/v1/purges/${purgeId}` };
    return context.json(body, 202, { 'cache-control': 'no-store' });
  } catch {
    return refuse(
      context,
      storeAway('The store does not answer, so it is not known whether it was removed: try again.'),
    );
  }
}

/** RFC 9110 section 13.1.2: the weak comparison. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
