import { expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { EMPTY_SNAPSHOT, type LedgerSnapshot } from '../policy/invalidation.ts';
import { type LedgerRemote, LedgerView } from './view.ts';

const TIMING = { refreshMs: 2_000, trustMs: 5_000, shareMs: 250, deadlineMs: 20 };
const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** A view over a ledger that is asked how often; `hangs` holds whoever shares the snapshot for ever. */
function world() {
  const seen = { reads: 0, hangs: false, kept: [] as Promise<unknown>[] };
  const snapshot: LedgerSnapshot = { seq: 7, floor: 0, entries: [] };
  const remote = {
    read: async (known: number) => {
      seen.reads += 1;
      return known === snapshot.seq ? undefined : snapshot;
    },
  } as unknown as LedgerRemote;
  const shared = {
    get: async () => undefined,
    put: (): Promise<void> => (seen.hangs ? never() : Promise.resolve()),
  };
  const view = new LedgerView(remote, shared, TIMING, () => undefined);
  const ready = (now: number) => view.ready(now, (work) => void seen.kept.push(work));
  return { seen, view, ready };
}

test('the first request waits for a snapshot, the next ones for nothing', async () => {
  const { seen, view, ready } = world();
  expect(view.index.seq).toBe(EMPTY_SNAPSHOT.seq);
  await ready(NOW);
  expect([seen.reads, view.index.seq, ready(NOW + 100)]).toEqual([1, 7, undefined]);
});

test('a refresh whose request ended before it did is begun anew', async () => {
  const { seen, ready } = world();
  seen.hangs = true;
  await ready(NOW);
  // Nobody hears of it again: others wait no longer than their own deadline, and do not ask beside it.
  await ready(NOW + 6_000);
  expect(seen.reads).toBe(1);
  seen.hangs = false;
  await ready(NOW + 12_000);
  expect(seen.reads).toBe(2);
  await ready(NOW + 18_000);
  expect(seen.reads).toBe(3);
});

test('what the refresh itself needs is kept alive, not only its readers’ patience', async () => {
  const { seen, ready } = world();
  seen.hangs = true;
  await ready(NOW);
  const ended = await Promise.race([seen.kept[0], new Promise((resolve) => setTimeout(resolve, 100, 'alive'))]);
  expect(ended).toBe('alive');
});
