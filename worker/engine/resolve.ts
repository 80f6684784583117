import type { Acquired, FetchOutcome } from '../ledger/leases.ts';
import type { StoredMeta, StoredResponse } from '../policy/stored.ts';
import { messageOf } from '../report.ts';
import type { EngineDeps } from './deps.ts';
import { type Conclude, fetchPage } from './fetch.ts';
import { patience } from './flight.ts';
import { appraise, type Candidate, recall } from './locate.ts';
import type { Keep, Page } from './page.ts';
import type { Resolution } from './resolution.ts';
import { withdraw } from './store.ts';

/** A usable entry as a resolution. */
export function entryResolution({ entry, judgement, tier }: Candidate, collapsed: boolean): Resolution {
  const outcome = collapsed
    ? { hit: true, ttl: judgement.ttl, collapsed, detail: tier }
    : { hit: true, ttl: judgement.ttl, detail: judgement.use === 'fresh' ? tier : `${tier}-stale` };
  return { kind: 'entry', entry, outcome };
}

/** The lease, or leave to fetch without one when the ledger does not answer: readers never wait for it long. */
async function acquire(
  deps: EngineDeps,
  page: Page,
  candidate: Candidate | undefined,
  waitMs: number,
): Promise<Acquired> {
  const fallback: Acquired = { state: 'granted', lease: 0, seq: deps.ledger.index.seq };
  if (deps.ledger.isFailing(deps.clock())) return fallback;
  try {
    const since = candidate === undefined ? 0 : candidate.entry.responseTime;
    const acquired = await patience(deps.leases.acquire(page.key, since, waitMs), waitMs + deps.limits.ledgerMs);
    if (acquired === undefined) deps.ledger.failed(deps.clock());
    return acquired ?? fallback;
  } catch (error) {
    deps.report('lease-failed', { error: messageOf(error) });
    return fallback;
  }
}

function concluder(deps: EngineDeps, page: Page, lease: number, seq: number): Conclude {
  return async (outcome: FetchOutcome, meta?: StoredMeta) => {
    if (lease === 0) return;
    const shareMs = Math.min(deps.limits.shareMs, (meta?.lifetime.fresh ?? 0) * 1000);
    try {
      const report = { outcome, seq, tags: meta?.tags ?? [] };
      const snapshot = await deps.leases.complete(page.key, lease, report, shareMs);
      await deps.ledger.adopt(snapshot, deps.clock());
    } catch (error) {
      deps.report('lease-report-failed', { error: messageOf(error) });
    }
    // The ledger's newest word: a take-down that came while this was being written wins.
    if (meta !== undefined && deps.ledger.index.verdict(meta) === 'deleted') await withdraw(deps, page.key);
  };
}

/** Another data centre confirmed the very body we hold: freshness starts again without a byte from home. */
function confirmedElsewhere(
  outcome: FetchOutcome,
  seq: number,
  candidate: Candidate | undefined,
): StoredResponse | undefined {
  if (outcome.kind !== 'unchanged' || candidate === undefined || candidate.entry.bodyHash !== outcome.bodyHash)
    return undefined;
  return {
    ...candidate.entry,
    responseTime: outcome.validatedAt,
    initialAge: 0,
    seq,
    lifetime: { ...candidate.entry.lifetime, fresh: outcome.fresh },
  };
}

/**
 * Bring a page up to date: lease, then the origin, once for the world. `candidate` is the best stored copy, if any.
 * Rejects never.
 */
export async function resolve(
  deps: EngineDeps,
  page: Page,
  candidate: Candidate | undefined,
  keep: Keep,
  leased = true,
): Promise<Resolution> {
  const origin = deps.origin(page.route.to);
  if (origin.isOpen(deps.clock()))
    return { kind: 'failed', failure: 'breaker-open', retryAfterMs: origin.breaker.openUntil - deps.clock() };
  const unleased: Acquired = { state: 'timeout', seq: deps.ledger.index.seq };
  const acquired = leased ? await acquire(deps, page, candidate, deps.limits.leaseWaitMs) : unleased;
  if (acquired.state === 'done') {
    const { outcome, seq } = acquired.report;
    if (outcome.kind === 'stored' || outcome.kind === 'unchanged') {
      const now = deps.clock();
      const again = outcome.kind === 'unchanged' ? confirmedElsewhere(outcome, seq, candidate) : undefined;
      if (again !== undefined) keep(deps.stage.put(again));
      const found = appraise(deps, again, 'archive', now) ?? (await recall(deps, page, now, keep));
      if (found?.judgement.use === 'fresh') return entryResolution(found, true);
    }
    // The one who fetched could not reach home a moment ago; with a copy in hand there is no point in asking again.
    if (outcome.kind === 'failed' && candidate !== undefined)
      return { kind: 'failed', failure: 'unreachable', retryAfterMs: 1000 };
  }
  if (!(await deps.mayMiss(page.client.address))) {
    if (acquired.state === 'granted') keep(concluder(deps, page, acquired.lease, acquired.seq)({ kind: 'failed' }));
    return { kind: 'failed', failure: 'rate-limited', retryAfterMs: 10_000 };
  }
  const lease = acquired.state === 'granted' ? acquired.lease : 0;
  const seq = acquired.state === 'done' ? deps.ledger.index.seq : acquired.seq;
  return fetchPage(deps, page, candidate, seq, keep, concluder(deps, page, lease, seq));
}
