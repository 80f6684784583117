import type { FreshnessRule } from '../../shared/site.ts';
import type { LedgerRemote, LedgerView } from '../ledger/view.ts';
import type { Origin } from '../origin/origin.ts';
import type { Report } from '../report.ts';
import type { CacheStage } from '../stage/stage.ts';
import type { ArchiveTier } from '../tiers/archive.ts';
import type { SharedBodyLimits } from './shared-body.ts';
import type { Unsharing } from './unshare.ts';

/** Times and sizes of the engine, in one place. Milliseconds and bytes. */
export interface EngineLimits {
  /** A reader with a usable stale copy waits no longer than this for its revalidation. */
  readonly staleWaitMs: number;
  /** How long a data centre waits for another one's fetch before it asks the origin itself. */
  readonly leaseWaitMs: number;
  /** How long the ledger may take to say whether a page is being fetched: a reader waits for that. */
  readonly ledgerMs: number;
  /** How long a fetch's outcome is news to other data centres, at most. */
  readonly shareMs: number;
  /** Bodies up to this size are buffered to answer ranges and to store parts. */
  readonly partBytes: number;
  readonly body: SharedBodyLimits;
}

/** Everything the engine does I/O with; handed in, so that it runs in a test as in the Worker. */
export interface EngineDeps {
  readonly clock: () => number;
  readonly stage: CacheStage;
  readonly archive: ArchiveTier;
  readonly ledger: LedgerView;
  readonly leases: LedgerRemote;
  readonly unsharing: Pick<Unsharing, 'takeBack'>;
  readonly origin: (upstream: string) => Origin;
  readonly freshness: readonly FreshnessRule[];
  /** May this client cause one more request to the origin now? */
  readonly mayMiss: (client: string | undefined) => Promise<boolean>;
  readonly limits: EngineLimits;
  /** Readers come over TLS. */
  readonly secure: boolean;
  readonly report: Report;
}
