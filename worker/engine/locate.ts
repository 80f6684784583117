import { type Judgement, judge } from '../policy/reuse.ts';
import type { StoredResponse } from '../policy/stored.ts';
import { messageOf } from '../report.ts';
import type { TierName } from '../tiers/tier.ts';
import type { EngineDeps } from './deps.ts';
import type { Keep, Page } from './page.ts';

/** A stored response and what may be done with it now. */
export interface Candidate {
  readonly entry: StoredResponse;
  readonly judgement: Exclude<Judgement, { use: 'gone' }>;
  readonly tier: TierName;
}

/** Is it good enough to stop looking: fresh, or stale with leave to be served at once? */
export function isReady({ judgement }: Candidate): boolean {
  return judgement.use === 'fresh' || judgement.may.whileRevalidate;
}

/** A stored response against clock and ledger; a taken-down one is no candidate. */
export function appraise(
  deps: EngineDeps,
  entry: StoredResponse | undefined,
  tier: TierName,
  now: number,
): Candidate | undefined {
  if (entry === undefined) return undefined;
  const judgement = judge(entry, deps.ledger.index.verdict(entry), now);
  return judgement.use === 'gone' ? undefined : { entry, judgement, tier };
}

function better(a: Candidate | undefined, b: Candidate | undefined): Candidate | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.judgement.use !== b.judgement.use) return a.judgement.use === 'fresh' ? a : b;
  return b.entry.seq > a.entry.seq || (b.entry.seq === a.entry.seq && b.entry.responseTime > a.entry.responseTime)
    ? b
    : a;
}

async function fromArchive(deps: EngineDeps, page: Page): Promise<StoredResponse | undefined> {
  try {
    return await deps.archive.get(page.key, page.read);
  } catch (error) {
    deps.report('archive-read-failed', { error: messageOf(error) });
    return undefined;
  }
}

/** The archive's copy, kept in the stage for the readers to come. */
export async function recall(deps: EngineDeps, page: Page, now: number, keep: Keep): Promise<Candidate | undefined> {
  const found = appraise(deps, await fromArchive(deps, page), 'archive', now);
  if (found !== undefined) keep(deps.stage.put(found.entry));
  return found;
}

/**
 * The best stored response for a page: memory, then colo, then archive, until one is ready to use. `ledgerReady` runs
 * beside the first slow look-up. A memory copy that is not ready any more may have a fresh successor further down.
 */
export async function locate(
  deps: EngineDeps,
  page: Page,
  now: number,
  ledgerReady: Promise<void> | undefined,
  keep: Keep,
): Promise<Candidate | undefined> {
  const remembered = deps.stage.peek(page.key, page.read);
  const colo = remembered === undefined ? deps.stage.get(page.key, page.read) : undefined;
  await ledgerReady;
  const memory = appraise(deps, remembered, 'memory', now);
  if (memory && isReady(memory)) return memory;
  const inColo = appraise(deps, await (colo ?? deps.stage.get(page.key, page.read)), 'colo', now);
  const near = better(memory, inColo);
  if (near === inColo && inColo !== undefined) deps.stage.remember(inColo.entry);
  if (near && isReady(near)) return near;
  return better(near, await recall(deps, page, now, keep));
}
