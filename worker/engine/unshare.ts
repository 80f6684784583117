import type { LedgerRemote, LedgerView } from '../ledger/view.ts';
import { messageOf, type Report } from '../report.ts';
import type { CacheStage } from '../stage/stage.ts';
import type { Tier } from '../tiers/tier.ts';

export interface UnsharingDeps {
  readonly clock: () => number;
  readonly leases: Pick<LedgerRemote, 'invalidate'>;
  readonly ledger: Pick<LedgerView, 'adopt' | 'index'>;
  readonly archive: Pick<Tier, 'get' | 'delete'>;
  readonly stage: Pick<CacheStage, 'delete' | 'purge'>;
  readonly report: Report;
}

/** One page is taken back at most so often, and all pages together so many times a minute, by one isolate. */
const PAGE_PAUSE_MS = 10_000;
const MINUTE_MS = 60_000;
const MAX_A_MINUTE = 30;

/**
 * A stored page the origin has made private since is taken back everywhere: a take-down in the ledger, so that no data
 * centre serves its copy, stale or in an outage, and no late write brings it back. A site that turns private as a
 * whole is taken back page by page as it is asked for; until then its copies are judged by their freshness.
 */
export class Unsharing {
  readonly #deps: UnsharingDeps;
  /** When each page was last taken back, within the current minute. */
  readonly #lately = new Map<string, number>();
  #minuteBegan = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(deps: UnsharingDeps) {
    this.#deps = deps;
  }

  /** `seq`: that of the copy found stored. All copies of it, in any data centre, come to one line. Rejects never. */
  async takeBack(key: string, seq: number): Promise<void> {
    const { clock, leases, ledger, archive, stage, report } = this.#deps;
    const askedAt = clock();
    if (!this.#mayWrite(key, askedAt)) return;
    try {
      const written = await leases.invalidate([{ kind: 'url', value: key }], 'delete', `unshare:${seq}:${key}`);
      await ledger.adopt(written.snapshot, askedAt);
      // Where another data centre took it back before, a new public copy may be there by now.
      const kept = await archive.get(key, () => null);
      const isOld = kept === undefined || ledger.index.verdict(kept) === 'deleted';
      const line = { kind: 'url', value: key, mode: 'delete', seq: written.seq } as const;
      await Promise.all([isOld ? archive.delete(key) : undefined, stage.delete(key), stage.purge([line])]);
    } catch (error) {
      report('unshare-failed', { error: messageOf(error) });
    }
  }

  #mayWrite(key: string, now: number): boolean {
    if (now - this.#minuteBegan >= MINUTE_MS) {
      this.#minuteBegan = now;
      this.#count = 0;
      for (const [known, at] of this.#lately) if (now - at >= PAGE_PAUSE_MS) this.#lately.delete(known);
    }
    if (this.#count >= MAX_A_MINUTE || now - (this.#lately.get(key) ?? Number.NEGATIVE_INFINITY) < PAGE_PAUSE_MS)
      return false;
    this.#count += 1;
    this.#lately.set(key, now);
    return true;
  }
}
