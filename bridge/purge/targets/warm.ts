import { retryAfterMs } from '../../policy/backoff.ts';
import { planWarming, type WarmCall } from '../../policy/purge-plan.ts';
import type { Outcome, Target } from '../target.ts';
import type { EdgeConfig } from './edge.ts';
import { failureOf, messageOf, parseObject } from './http.ts';

const LINE_MAX = 64 * 1024;

/**
 * Attempts at a call that begins and does not end well, such as a sitemap that answers 502 while the blog rolls out: about a minute, with the courier's
 * backoff. An edge that does not answer at all is waited for without end: nothing behind in the queue could be warmed either.
 */
const BROKEN_OFF_MAX = 10;

/**
 * Fetches the purged pages into the archive, so that no reader is the one who waits. Only after the ledger has the purge, else the old
 * page would be fetched back. A page that fails is reported and left to its first reader; only a whole call that fails is repeated.
 */
export function warmTarget(config: EdgeConfig, fetch: typeof globalThis.fetch, now: () => number): Target<WarmCall> {
  // Parts of the call under way that are done, and how often it broke off. Lost in a crash, which repeats them: harmless.
  let progress = { id: '', done: 0, warmed: 0, failed: 0, brokenOff: 0 };
  const post = async (id: string, body: object, signal: AbortSignal): Promise<Outcome | BrokenOff> => {
    let begun = false;
    try {
      const response = await fetch(`${config.url}/.porchlight/warm`, {
        method: 'POST',
        headers: { authorization: `Bearer ${config.token}`, 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify(body),
        redirect: 'error',
        signal,
      });
      begun = response.status === 200;
      if (begun) return judge(await lastLine(response));
      const reason = messageOf(response.status, (await response.text()).slice(0, LINE_MAX));
      if (response.status === 400 || response.status === 413) return { kind: 'refused', reason };
      return { kind: 'retry', reason, afterMs: retryAfterMs(response.headers.get('retry-after'), now()) };
    } catch (error) {
      return begun
        ? { kind: 'broken-off', reason: `warming broke off: ${failureOf(error)}` }
        : { kind: 'retry', reason: failureOf(error) };
    }
  };
  return {
    name: 'warm',
    after: 'edge',
    concerns: "body ? 'warm'",
    attemptMs: 300_000,
    plan: (queue) => planWarming(queue),
    deliver: async (id, call, signal) => {
      const [first, ...more] = call.sitemaps;
      const bodies: object[] = more.map((sitemap) => ({ sitemap }));
      if (call.urls.length > 0 || first !== undefined) {
        bodies.unshift({ ...(call.urls.length > 0 ? { urls: call.urls } : {}), ...(first ? { sitemap: first } : {}) });
      }
      if (progress.id !== id) progress = { id, done: 0, warmed: 0, failed: 0, brokenOff: 0 };
      for (const body of bodies.slice(progress.done)) {
        const outcome = await post(id, body, signal);
        if (outcome.kind === 'broken-off') {
          const kind = ++progress.brokenOff < BROKEN_OFF_MAX ? 'retry' : 'given-up';
          return { kind, reason: outcome.reason };
        }
        if (outcome.kind !== 'delivered') return outcome;
        progress.done++;
        progress.warmed += Number(outcome.detail.warmed ?? 0);
        progress.failed += Number(outcome.detail.failed ?? 0);
      }
      const { warmed, failed } = progress;
      return { kind: 'delivered', detail: { warmed, failed } };
    },
  };
}

interface BrokenOff {
  readonly kind: 'broken-off';
  readonly reason: string;
}

function judge(last: Record<string, unknown> | null): Outcome | BrokenOff {
  if (last?.done !== true) return { kind: 'broken-off', reason: 'warming broke off' };
  // The sum is there, and with it why there is no more to it: the sitemap could not be read.
  if (last.error !== undefined)
    return { kind: 'broken-off', reason: `warming failed: ${String(last.error).slice(0, 300)}` };
  return { kind: 'delivered', detail: { warmed: last.warmed ?? 0, failed: last.failed ?? 0 } };
}

/** The last NDJSON line, without keeping the ones before it. */
async function lastLine(response: Response): Promise<Record<string, unknown> | null> {
  const decoder = new TextDecoder();
  let rest = '';
  let last = '';
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(-LINE_MAX);
    last = lines.findLast((line) => line.trim() !== '') ?? last;
  }
  return parseObject(rest.trim() === '' ? last : rest);
}
