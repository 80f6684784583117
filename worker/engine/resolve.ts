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

/** Longest an outcome is held back for a lease that was granted late. */
const LATE_LEASE_MS = 2_000;

/** What the ledger said in time; `late` where its word may still come. */
interface Asked {
  readonly acquired: Acquired;
  readonly late?: Promise<Acquired>;
}

/**
 * The lease, or leave to fetch without one when the ledger does not answer. It is asked without waiting first: a
 * ledger that is well answers that at once, so that silence and another data centre's slow fetch are told apart.
 */
async function acquire(deps: EngineDeps, page: Page, candidate: Candidate | undefined): Promise<Asked> {
  const { leaseWaitMs, ledgerMs } = deps.limits;
  // Its number is the one this isolate knows: an older one can only make what comes back look older than it is.
  const fallback: Acquired = { state: 'granted', lease: 0, seq: deps.ledger.index.seq };
  if (deps.ledger.isFailing(deps.clock())) return { acquired: fallback };
  const since = candidate === undefined ? 0 : candidate.entry.responseTime;
  try {
    const late = deps.leases.acquire(page.key, since, 0);
    const first = await patience(late, ledgerMs);
    if (first !== undefined && first.state !== 'timeout') return { acquired: first };
    const acquired =
      first && (await patience(deps.leases.acquire(page.key, since, leaseWaitMs), leaseWaitMs + ledgerMs));
    if (acquired !== undefined) return { acquired };
    deps.ledger.failed(deps.clock());
    return { acquired: fallback, late };
  } catch (error) {
    deps.report('lease-failed', { error: messageOf(error) });
    return { acquired: fallback };
  }
}

/** The lease to report under; one that was granted late is reported under as well, so that nobody waits for it in vain. */
async function leaseOf({ acquired, late }: Asked): Promise<number> {
  const granted =
    late === undefined
      ? acquired
      : await patience(
          late.catch(() => undefined),
          LATE_LEASE_MS,
        );
  return granted?.state === 'granted' ? granted.lease : 0;
}

function concluder(deps: EngineDeps, page: Page, asked: Asked, seq: number): Conclude {
  return async (outcome: FetchOutcome, meta?: StoredMeta) => {
    const lease = await leaseOf(asked);
    if (lease === 0) return;
    // No longer than it is fresh: news of a page that is stale would have everyone fetch it without a lease.
    const freshMs =
      meta === undefined ? 0 : meta.responseTime + (meta.lifetime.fresh - meta.initialAge) * 1000 - deps.clock();
    const shareMs = Math.max(0, Math.min(deps.limits.shareMs, freshMs));
    try {
      const report = { outcome, seq, tags: meta?.tags ?? [] };
      const askedAt = deps.clock();
      const snapshot = await deps.leases.complete(page.key, lease, report, shareMs);
      await deps.ledger.heard(snapshot, askedAt);
    } catch (error) {
      deps.report('lease-report-failed', { error: messageOf(error) });
    }
    // The ledger's newest word: a take-down that came while this was being written wins.
    if (meta !== undefined && deps.ledger.index.verdict(meta) === 'deleted') await withdraw(deps, meta);
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
    initialAge: outcome.age,
    seq,
    lifetime: { ...candidate.entry.lifetime, fresh: outcome.fresh },
  };
}

/** How a page is brought up to date, where not in the usual way. */
export interface Manner {
  /** false: fetched for its reader alone, whatever other data centres fetch. */
  readonly leased?: boolean;
  /** The client's limit has been asked already, and counts this request. */
  readonly isCleared?: boolean;
  /** Told the ledger's number the fetch begins with. */
  readonly begun?: (seq: number) => void;
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
  { leased = true, isCleared = false, begun }: Manner = {},
): Promise<Resolution> {
  const origin = deps.origin(page.route.to);
  if (origin.isOpen(deps.clock()))
    return { kind: 'failed', failure: 'breaker-open', retryAfterMs: origin.breaker.openUntil - deps.clock() };
  // Before the lease: a client past its limit has no other data centre wait for a fetch that never was.
  if (!isCleared && !(await deps.mayMiss(page.client.address)))
    return { kind: 'failed', failure: 'rate-limited', retryAfterMs: 10_000 };
  const unleased: Asked = { acquired: { state: 'timeout', seq: deps.ledger.index.seq } };
  const asked = leased ? await acquire(deps, page, candidate) : unleased;
  const { acquired } = asked;
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
  const seq = acquired.state === 'done' ? deps.ledger.index.seq : acquired.seq;
  const conclude = concluder(deps, page, asked, seq);
  begun?.(seq);
  return fetchPage(deps, page, candidate, seq, keep, conclude);
}
