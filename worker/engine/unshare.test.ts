import { expect, test } from 'vitest';
import { storedResponse } from '../../test/support/stored.ts';
import { NOW } from '../../test/support/times.ts';
import { EMPTY_SNAPSHOT, InvalidationIndex, type LedgerSnapshot } from '../policy/invalidation.ts';
import type { StoredResponse } from '../policy/stored.ts';
import { Unsharing } from './unshare.ts';

/** A ledger of one line, an archive of one page, and a clock that is turned by hand. */
function world(archived?: StoredResponse, fails = false) {
  const seen = { now: NOW, written: [] as string[], deleted: [] as string[], purged: 0, reported: [] as string[] };
  let snapshot: LedgerSnapshot = EMPTY_SNAPSHOT;
  const ledger = {
    index: new InvalidationIndex(EMPTY_SNAPSHOT),
    adopt: async (next: LedgerSnapshot) => {
      ledger.index = new InvalidationIndex(next);
    },
  };
  const unsharing = new Unsharing({
    clock: () => seen.now,
    ledger,
    leases: {
      invalidate: async (requests, mode, id) => {
        if (fails) throw new Error('away');
        seen.written.push(`${mode} ${requests[0]?.value} ${id}`);
        snapshot = { seq: 5, floor: 0, entries: [{ kind: 'url', value: requests[0]?.value ?? '', mode, seq: 5 }] };
        return { seq: 5, snapshot };
      },
    },
    archive: {
      get: async () => archived,
      delete: async (key) => void seen.deleted.push(`archive ${key}`),
    },
    stage: {
      delete: async (key) => void seen.deleted.push(`stage ${key}`),
      purge: async () => {
        seen.purged += 1;
      },
    },
    report: (event) => void seen.reported.push(event),
  });
  return { seen, unsharing };
}

test('a page is taken back in ledger, archive and stage, once, whatever its readers do', async () => {
  const { seen, unsharing } = world(storedResponse({ key: 'blog:/a', seq: 2 }));
  await Promise.all(Array.from({ length: 50 }, () => unsharing.takeBack('blog:/a', 2)));
  expect(seen.written).toEqual(['delete blog:/a unshare:2:blog:/a']);
  expect([seen.deleted.sort(), seen.purged]).toEqual([['archive blog:/a', 'stage blog:/a'], 1]);
});

test('a copy that was public again before this isolate knew stays in the archive', async () => {
  const { seen, unsharing } = world(storedResponse({ key: 'blog:/a', seq: 5 }));
  await unsharing.takeBack('blog:/a', 2);
  expect(seen.deleted).toEqual(['stage blog:/a']);
});

test('a site that turns private cannot flood the ledger: thirty lines a minute', async () => {
  const { seen, unsharing } = world();
  for (let i = 0; i < 100; i += 1) await unsharing.takeBack(`blog:/${i}`, 0);
  expect(seen.written).toHaveLength(30);
  seen.now += 60_000;
  for (let i = 0; i < 100; i += 1) await unsharing.takeBack(`blog:/${i}`, 0);
  expect(seen.written).toHaveLength(60);
});

test('without the ledger it is tried again after a pause, and no error leaves', async () => {
  const { seen, unsharing } = world(undefined, true);
  await unsharing.takeBack('blog:/a', 0);
  await unsharing.takeBack('blog:/a', 0);
  expect(seen.reported).toEqual(['unshare-failed']);
  seen.now += 10_000;
  await unsharing.takeBack('blog:/a', 0);
  expect(seen.reported).toHaveLength(2);
});
