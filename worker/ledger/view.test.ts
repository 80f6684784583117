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

/** Isolates of one data centre over one ledger and one shared snapshot; each has its own delay of a put, ms. */
function dataCentre() {
  const line = (seq: number, value: string) => ({ seq, kind: 'url', value, mode: 'delete' }) as const;
  const first: LedgerSnapshot = { seq: 1, floor: 0, entries: [line(1, 'other')] };
  const second: LedgerSnapshot = { seq: 2, floor: 0, entries: [line(1, 'other'), line(2, 'page')] };
  const seen = { standing: undefined as { snapshot: LedgerSnapshot; asOf: number } | undefined, puts: 0 };
  const remote = { read: async () => first } as unknown as LedgerRemote;
  const isolate = (delayMs: number): LedgerView => {
    const shared = {
      get: async () => seen.standing,
      put: async (snapshot: LedgerSnapshot, asOf: number) => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        seen.puts += 1;
        seen.standing = { snapshot, asOf };
      },
    };
    return new LedgerView(remote, shared, TIMING, () => undefined);
  };
  return { seen, first, second, isolate };
}

test('an older snapshot does not take the place of a newer one, and its holder learns of it', async () => {
  const { seen, first, second, isolate } = dataCentre();
  const [purging, filling] = [isolate(0), isolate(0)];
  await purging.adopt(second, NOW);
  await filling.adopt(first, NOW + 100);
  expect([seen.standing?.snapshot.seq, filling.index.seq]).toEqual([2, 2]);
});

test('a put that was under way is put right before the purge is acknowledged', async () => {
  const { seen, first, second, isolate } = dataCentre();
  const [purging, filling] = [isolate(0), isolate(30)];
  const late = filling.adopt(first, NOW + 10);
  await purging.adopt(second, NOW);
  const settled = purging.settle(2, 60);
  await late;
  expect(seen.standing?.snapshot.seq).toBe(1);
  await settled;
  expect(seen.standing?.snapshot.seq).toBe(2);
});

test('a purge is heard of by who asked the ledger after it was sent, and before it was written', async () => {
  const { second, isolate } = dataCentre();
  const [purging, reading] = [isolate(0), isolate(0)];
  await reading.ready(NOW + 5, () => undefined);
  await purging.adopt(second, NOW);
  await reading.ready(NOW + 300, () => undefined);
  expect(reading.index.seq).toBe(2);
});

test('a purge that older snapshots keep hiding is not acknowledged', async () => {
  const { seen, first, second, isolate } = dataCentre();
  const purging = isolate(0);
  await purging.adopt(second, NOW);
  const hiding = setInterval(() => {
    seen.standing = { snapshot: first, asOf: NOW };
  }, 1);
  await expect(purging.settle(2, 20)).rejects.toThrow('invalidation 2');
  clearInterval(hiding);
});

test('what comes along with another answer is shared only where it is news', async () => {
  const { seen, first, second, isolate } = dataCentre();
  const view = isolate(0);
  await view.heard(first, NOW);
  await view.heard(first, NOW + 10);
  expect([seen.puts, view.asOf]).toEqual([1, NOW + 10]);
  await view.heard(second, NOW + 20);
  expect([seen.puts, seen.standing?.snapshot.seq]).toEqual([2, 2]);
});
