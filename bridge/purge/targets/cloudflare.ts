import { retryAfterMs } from '../../policy/backoff.ts';
import { complaintOf } from '../../policy/cloudflare-errors.ts';
import { planZonePurges, type ZonePurge } from '../../policy/cloudflare-plan.ts';
import { type PurgeCall, planPurges } from '../../policy/purge-plan.ts';
import { type Bucket, type BucketPolicy, take } from '../../policy/token-bucket.ts';
import type { Outcome, Target } from '../target.ts';
import { failureOf, parseObject, readBounded } from './http.ts';

export interface CloudflareConfig {
  readonly apiUrl: string;
  readonly zoneId: string;
  readonly token: string;
  /** Hosts the edge serves; path prefixes are purged on each. */
  readonly hosts: readonly string[];
  /** The account's plan; free: 5 a minute, 25 saved up. */
  readonly rate: BucketPolicy;
}

/** Attempts at a call that is refused for reasons unknown to us: some minutes, then the queue behind it goes first. */
const PUZZLED_MAX = 15;

/**
 * Cloudflare's zone purge, which empties the data centres' own caches at once. It follows the ledger: emptied before the ledger knows, a
 * data centre could fill itself again from the archive with the old page.
 */
export function cloudflareTarget(
  config: CloudflareConfig,
  fetch: typeof globalThis.fetch,
  now: () => number,
): Target<PurgeCall> {
  let bucket: Bucket = { tokens: config.rate.capacity, atMs: now() };
  // Parts of the call under way that are done: a retry goes on where it stopped. Lost in a crash, which repeats them: harmless.
  let progress = { id: '', done: 0, puzzled: 0 };
  return {
    name: 'cloudflare',
    after: 'edge',
    concerns: null,
    attemptMs: 10_000,
    plan: (queue) => planPurges(queue),
    deliver: async (id, call, signal) => {
      if (progress.id !== id) progress = { id, done: 0, puzzled: 0 };
      const parts = planZonePurges(call, config.hosts);
      for (const part of parts.slice(progress.done)) {
        const taken = take(bucket, now(), config.rate);
        bucket = taken.bucket;
        if (taken.waitMs > 0) return { kind: 'retry', reason: 'waiting for the rate limit', afterMs: taken.waitMs };
        const outcome = await purgeZone(config, part, fetch, signal, now);
        if (outcome.kind === 'puzzled' && ++progress.puzzled < PUZZLED_MAX) return { ...outcome, kind: 'retry' };
        if (outcome.kind === 'puzzled') return { kind: 'refused', reason: outcome.reason };
        if (outcome.kind !== 'delivered') return outcome;
        progress.done++;
      }
      return { kind: 'delivered', detail: { requests: parts.length } };
    },
  };
}

async function purgeZone(
  config: CloudflareConfig,
  body: ZonePurge,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
  now: () => number,
): Promise<Outcome | { readonly kind: 'puzzled'; readonly reason: string }> {
  try {
    const response = await fetch(`${config.apiUrl}/zones/${config.zoneId}/purge_cache`, {
      method: 'POST',
      headers: { authorization: `Bearer ${config.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal,
    });
    const answer = parseObject(await readBounded(response));
    if (response.status === 200 && answer?.success === true) return { kind: 'delivered', detail: {} };
    const reason = describe(response.status, answer);
    const complaint =
      response.status === 400 && answer?.success === false
        ? complaintOf(errorsOf(answer).map(({ code }) => code))
        : 'circumstances';
    if (complaint === 'content') return { kind: 'refused', reason };
    if (complaint === 'unknown') return { kind: 'puzzled', reason };
    return { kind: 'retry', reason, afterMs: retryAfterMs(response.headers.get('retry-after'), now()) };
  } catch (error) {
    return { kind: 'retry', reason: failureOf(error) };
  }
}

interface ApiError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly error_chain?: unknown;
}

/** `errors: [{code, message, error_chain?}]` of Cloudflare's v4 envelope. */
const errorsOf = (answer: Record<string, unknown> | null): readonly ApiError[] => listOf(answer?.errors);
const listOf = (value: unknown) =>
  Array.isArray(value) ? value.filter((item): item is ApiError => typeof item === 'object' && item !== null) : [];

function describe(status: number, answer: Record<string, unknown> | null): string {
  const [first] = errorsOf(answer);
  if (!first) return `status ${status}`;
  const say = ({ code, message }: ApiError) => `${code} ${String(message).slice(0, 200)}`;
  const [cause] = listOf(first.error_chain);
  return `${status}: ${say(first)}${cause ? ` (${say(cause)})` : ''}`;
}
