import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Invalidation, LedgerSnapshot } from '../policy/invalidation.ts';
import { type Acquired, type FetchOutcome, LeaseBook, type LeaseReport } from './leases.ts';

const LEASE_MS = 1000;
const EMPTY: LedgerSnapshot = { seq: 5, floor: 0, entries: [] };
const STORED: FetchOutcome = { kind: 'stored' };
const report = (outcome: FetchOutcome = STORED, seq = 5): LeaseReport => ({ outcome, seq, tags: ['list'] });
const invalidated = (...entries: Invalidation[]): LedgerSnapshot => ({ seq: 6, floor: 0, entries });

/** Time that passes only when told. */
class ManualClock {
  #now = 0;
  #timers: { at: number; run: () => void }[] = [];
  now = (): number => this.#now;
  after = (ms: number, run: () => void): (() => void) => {
    const timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };
  get pending(): number {
    return this.#timers.length;
  }
  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { run } of due) run();
  }
}

function book() {
  const clock = new ManualClock();
  const leases = new LeaseBook(clock, LEASE_MS);
  const acquire = (wait = 500, since = 0, snapshot = EMPTY, key = 'k') => leases.acquire(key, since, wait, snapshot);
  return { clock, leases, acquire };
}

describe('a lease', () => {
  test('is given to the first who asks, and says the ledger’s number', () => {
    expect(book().acquire()).toEqual({ state: 'granted', lease: 1, seq: 5 });
  });

  test('of one key says nothing of another', () => {
    const { acquire } = book();
    acquire();
    expect(acquire(500, 0, EMPTY, 'other')).toMatchObject({ state: 'granted' });
  });

  test('makes the others wait for its report', async () => {
    const { acquire, leases, clock } = book();
    acquire();
    const waiting = [acquire(), acquire()];
    leases.complete('k', 1, report(), 1000);
    expect(await Promise.all(waiting)).toEqual([
      { state: 'done', report: report() },
      { state: 'done', report: report() },
    ]);
    expect(clock.pending).toBe(0);
  });

  test('makes nobody wait who will not', async () => {
    const { acquire } = book();
    acquire();
    expect(await acquire(0)).toEqual({ state: 'timeout', seq: 5 });
  });

  test('does not make them wait for longer than they want', async () => {
    const { acquire, clock } = book();
    acquire();
    const waiting = acquire(500);
    clock.pass(500);
    expect(await waiting).toEqual({ state: 'timeout', seq: 5 });
    expect(clock.pending).toBe(0);
  });

  test('that is never reported ends, and who waits longer still hears of its successor', async () => {
    const { acquire, leases, clock } = book();
    acquire();
    const waiting = acquire(5000);
    clock.pass(LEASE_MS);
    expect(acquire()).toMatchObject({ state: 'granted', lease: 2 });
    leases.complete('k', 2, report(), 1000);
    expect(await waiting).toMatchObject({ state: 'done' });
  });

  test('that was lost wakes nobody when it reports late', async () => {
    const { acquire, leases, clock } = book();
    acquire();
    clock.pass(LEASE_MS);
    acquire();
    const waiting = acquire(500);
    leases.complete('k', 1, report({ kind: 'failed' }), 1000);
    clock.pass(500);
    expect(await waiting).toMatchObject({ state: 'timeout' });
  });
});

describe('a fetch that began before an invalidation', () => {
  const line = (kind: Invalidation['kind'], value: string, seq = 6): LedgerSnapshot =>
    invalidated({ seq, kind, value, mode: 'delete' });
  test.each<[string, LedgerSnapshot, string]>([
    ['of its URL', line('url', 'k'), 'granted'],
    ['of a prefix', line('prefix', ''), 'granted'],
    ['of everything', line('everything', ''), 'granted'],
    ['of a tag: nobody knows yet whether it is its own', line('tag', 'any'), 'granted'],
    ['of another URL', line('url', 'other'), 'timeout'],
    ['it knew of', line('url', 'k', 5), 'timeout'],
  ])('is not waited for: %s', (_, snapshot, state) => {
    const { acquire } = book();
    acquire();
    expect(acquire(0, 0, snapshot)).toMatchObject({ state });
  });

  test('has one successor, which everybody waits for, and no last word', async () => {
    const { acquire, leases } = book();
    acquire();
    const waiting = [acquire(500)];
    const snapshot = line('url', 'k');
    expect(acquire(500, 0, snapshot)).toEqual({ state: 'granted', lease: 2, seq: 6 });
    waiting.push(acquire(500, 0, snapshot));
    leases.complete('k', 2, report(STORED, 6), 1000);
    leases.complete('k', 1, report({ kind: 'failed' }, 5), 1000);
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ state: 'done', report: report(STORED, 6) }));
    expect(acquire(0, -1, snapshot)).toEqual({ state: 'done', report: report(STORED, 6) });
  });
});

describe('the last outcome answers at once', () => {
  const after = (outcome: FetchOutcome, shareMs: number, passed: number): string => {
    const { acquire, leases, clock } = book();
    clock.pass(10);
    acquire();
    leases.complete('k', 1, report(outcome), shareMs);
    clock.pass(passed);
    return (acquire(0) as Acquired).state;
  };
  test.each<[string, FetchOutcome, number, number, string]>([
    ['stored, while it is news', STORED, 1000, 999, 'done'],
    ['stored, no longer', STORED, 1000, 1000, 'granted'],
    ['stored, but not to be shared', STORED, 0, 0, 'granted'],
    ['unshareable, for ten seconds', { kind: 'unshareable' }, 0, 9_999, 'done'],
    ['unshareable, no longer', { kind: 'unshareable' }, 60_000, 10_000, 'granted'],
    ['a failure is asked again', { kind: 'failed' }, 1000, 0, 'granted'],
  ])('%s', (_, outcome, shareMs, passed, state) => {
    expect(after(outcome, shareMs, passed)).toBe(state);
  });

  test('but not who has a newer copy already', () => {
    const { acquire, leases, clock } = book();
    clock.pass(100);
    acquire();
    leases.complete('k', 1, report(), 1000);
    expect(acquire(0, 99)).toMatchObject({ state: 'done' });
    expect(acquire(0, 100)).toMatchObject({ state: 'granted' });
  });

  test.each<[string, LedgerSnapshot, string]>([
    ['its tag', invalidated({ seq: 6, kind: 'tag', value: 'list', mode: 'invalidate' }), 'granted'],
    ['its key', invalidated({ seq: 6, kind: 'url', value: 'k', mode: 'delete' }), 'granted'],
    ['something else', invalidated({ seq: 6, kind: 'tag', value: 'other', mode: 'invalidate' }), 'done'],
    ['what it knew', { ...EMPTY, entries: [{ seq: 5, kind: 'tag', value: 'list', mode: 'invalidate' }] }, 'done'],
  ])('nor once an invalidation overtook it: %s', (_, snapshot, state) => {
    const { acquire, leases, clock } = book();
    clock.pass(1);
    acquire();
    leases.complete('k', 1, report(), 1000);
    expect(acquire(0, 0, snapshot)).toMatchObject({ state });
  });
});

test('property: never two live leases of one key, and every waiter is answered', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('acquire' as const),
      n: fc.integer({ min: 0, max: 1500 }),
      key: fc.constantFrom('a', 'b'),
    }),
    fc.record({ do: fc.constant('complete' as const), n: fc.nat(5), key: fc.constantFrom('a', 'b') }),
    fc.record({ do: fc.constant('pass' as const), n: fc.integer({ min: 1, max: 800 }), key: fc.constant('a') }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock();
      const leases = new LeaseBook(clock, LEASE_MS);
      const granted: { key: string; lease: number; at: number; over: boolean }[] = [];
      const waiting: Promise<unknown>[] = [];
      for (const { do: what, n, key } of steps) {
        if (what === 'pass') clock.pass(n);
        else if (what === 'acquire') {
          const acquired = leases.acquire(key, Number.MAX_SAFE_INTEGER, n, EMPTY);
          if (acquired instanceof Promise) waiting.push(acquired);
          else if (acquired.state === 'granted') {
            const live = granted.filter((one) => one.key === key && !one.over && clock.now() - one.at < LEASE_MS);
            expect(live).toEqual([]);
            granted.push({ key, lease: acquired.lease, at: clock.now(), over: false });
          }
        } else {
          const one = granted.filter((other) => other.key === key)[n];
          if (one === undefined) continue;
          leases.complete(key, one.lease, report(), 100);
          one.over = true;
        }
      }
      clock.pass(10_000);
      expect(clock.pending).toBe(0);
      await Promise.all(waiting);
      expect(new Set(granted.map(({ lease }) => lease)).size).toBe(granted.length);
    }),
  );
});
