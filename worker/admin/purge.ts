import type { EngineDeps } from '../engine/deps.ts';
import type { InvalidationRequest } from '../ledger/ledger.ts';
import type { Invalidation } from '../policy/invalidation.ts';
import { messageOf } from '../report.ts';
import type { PurgeCommand } from './purge-request.ts';

export interface Purged {
  readonly seq: number;
  readonly acknowledged: true;
  /** Objects removed from the archive, for `delete`. */
  readonly removed?: number;
}

/** Does a listed object fall under one of these? `*` stands for more tags than a listing holds. */
function matches(key: string, tags: readonly string[], items: readonly InvalidationRequest[]): boolean {
  const url = key.split('#', 1)[0] ?? key;
  return items.some(({ kind, value }) => {
    if (kind === 'everything') return true;
    if (kind === 'tag') return tags.includes(value) || tags.includes('*');
    return kind === 'url' ? url === value : url.startsWith(value);
  });
}

/** Take down: remove what matches from the archive. The tombstone is in the ledger already, so nothing comes back. */
async function removeArchived(deps: EngineDeps, items: readonly InvalidationRequest[]): Promise<number> {
  // By tag or everything the whole archive is listed, a thousand keys a call: take-downs are rare, and have to be sure.
  const byTag = items.some(({ kind }) => kind === 'tag' || kind === 'everything');
  const beginnings = byTag ? [''] : [...new Set(items.map(({ value }) => value))];
  const found = new Set<string>();
  for (const beginning of beginnings) {
    for await (const listing of deps.archive.list(beginning)) {
      if (matches(listing.key, listing.tags, items)) found.add(listing.objectKey);
    }
  }
  await deps.archive.remove([...found]);
  return found.size;
}

/**
 * Purge: the ledger first (from then on it is true), this data centre's snapshot next, and the acknowledgement only
 * when no isolate of this data centre can still judge by an older one.
 */
export async function purge(deps: EngineDeps, command: PurgeCommand, settleMs: number): Promise<Purged> {
  const askedAt = deps.clock();
  const { seq, snapshot } = await deps.leases.invalidate(command.items, command.mode, command.id);
  await deps.ledger.adopt(snapshot, askedAt);
  const settled = deps.ledger.settle(seq, settleMs);
  settled.catch(() => undefined);
  const entries: Invalidation[] = command.items.map((item) => ({ ...item, mode: command.mode, seq }));
  try {
    await deps.stage.purge(entries);
  } catch (error) {
    // The ledger has it: answers are judged by it all the same. The platform's own copies may live until they age.
    deps.report('stage-purge-failed', { error: messageOf(error) });
    throw error;
  }
  const removed = command.mode === 'delete' ? await removeArchived(deps, command.items) : undefined;
  await settled;
  return { seq, acknowledged: true, ...(removed === undefined ? {} : { removed }) };
}
