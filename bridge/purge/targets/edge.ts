import { retryAfterMs } from '../../policy/backoff.ts';
import { type PurgeCall, planPurges } from '../../policy/purge-plan.ts';
import type { Outcome, Target } from '../target.ts';
import { failureOf, messageOf, parseObject, readBounded } from './http.ts';

export interface EdgeConfig {
  readonly url: string;
  readonly token: string;
}

/**
 * The edge's ledger. It answers once every reader of its data centre sees the purge, and takes the same `id` only once, so that a
 * repeated call, after a lost answer or a crash, changes nothing.
 */
export function edgeTarget(
  config: EdgeConfig | null,
  fetch: typeof globalThis.fetch,
  now: () => number,
): Target<PurgeCall> {
  return {
    name: 'edge',
    after: null,
    concerns: null,
    attemptMs: 10_000,
    plan: (queue) => planPurges(queue),
    deliver: async (id, call, signal) => {
      if (config === null) return { kind: 'retry', reason: 'EDGE_URL and EDGE_TOKEN are not set' };
      try {
        const response = await fetch(`${config.url}/.porchlight/purge`, {
          method: 'POST',
          headers: { authorization: `Bearer ${config.token}`, 'content-type': 'application/json', 'x-request-id': id },
          body: JSON.stringify({ id, mode: call.mode, ...selectors(call) }),
          redirect: 'error',
          signal,
        });
        return judge(response, await readBounded(response), now());
      } catch (error) {
        return { kind: 'retry', reason: failureOf(error) };
      }
    },
  };
}

function selectors(call: PurgeCall): object {
  if (call.everything) return { everything: true };
  const { tags, prefixes, urls } = call;
  return Object.fromEntries(Object.entries({ tags, prefixes, urls }).filter(([, items]) => items.length > 0));
}

function judge(response: Response, text: string, nowMs: number): Outcome {
  const { status } = response;
  const answer = parseObject(text);
  // A 200 without the acknowledgement is somebody else's: a login page, a captive portal, an older edge.
  if (status === 200 && answer?.acknowledged === true)
    return { kind: 'delivered', detail: { seq: answer.seq ?? null } };
  if (status === 200) return { kind: 'retry', reason: 'status 200 without acknowledgement: is EDGE_URL the edge?' };
  const reason = messageOf(status, text);
  // Only the edge's own judgement of the content is final; a 400 of a proxy in between is not.
  if ((status === 400 || status === 413 || status === 422) && answer?.error !== undefined)
    return { kind: 'refused', reason };
  return { kind: 'retry', reason, afterMs: retryAfterMs(response.headers.get('retry-after'), nowMs) };
}
