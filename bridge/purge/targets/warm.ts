import { retryAfterMs } from '../../policy/backoff.ts';
import { planWarming, type WarmCall } from '../../policy/purge-plan.ts';
import type { Outcome, Target } from '../target.ts';
import type { EdgeConfig } from './edge.ts';
import { failureOf, messageOf, parseObject } from './http.ts';

const LINE_MAX = 64 * 1024;

/**
 * Fetches the purged pages into the archive, so that no reader is the one who waits. Only after the ledger has the purge, else the old
 * page would be fetched back. A page that fails is reported and left to its first reader; only a whole call that fails is repeated.
 */
export function warmTarget(config: EdgeConfig, fetch: typeof globalThis.fetch, now: () => number): Target<WarmCall> {
  const post = async (id: string, body: object, signal: AbortSignal): Promise<Outcome> => {
    try {
      const response = await fetch(`${config.url}/.porchlight/warm`, {
        method: 'POST',
        headers: { authorization: `Bearer ${config.token}`, 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify(body),
        redirect: 'error',
        signal,
      });
      if (response.status === 200) return judge(await lastLine(response));
      const reason = messageOf(response.status, (await response.text()).slice(0, LINE_MAX));
      if (response.status === 400 || response.status === 413) return { kind: 'refused', reason };
      return { kind: 'retry', reason, afterMs: retryAfterMs(response.headers.get('retry-after'), now()) };
    } catch (error) {
      return { kind: 'retry', reason: failureOf(error) };
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
      const total = { warmed: 0, failed: 0 };
      for (const body of bodies) {
        const outcome = await post(id, body, signal);
        if (outcome.kind !== 'delivered') return outcome;
        total.warmed += Number(outcome.detail.warmed ?? 0);
        total.failed += Number(outcome.detail.failed ?? 0);
      }
      return { kind: 'delivered', detail: total };
    },
  };
}

function judge(last: Record<string, unknown> | null): Outcome {
  if (last?.done !== true) return { kind: 'retry', reason: 'warming broke off' };
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
