import { expect, test } from 'vitest';
import { Courier } from '../../bridge/purge/courier.ts';
import type { Deliveries, Held } from '../../bridge/purge/deliveries.ts';
import type { Target } from '../../bridge/purge/target.ts';
import { until } from '../support/bridge.ts';

const target: Target = {
  name: 'edge',
  after: null,
  concerns: null,
  attemptMs: 1000,
  plan: () => null,
  deliver: async () => ({ kind: 'delivered', detail: {} }),
};

test('a transaction that does not end is named after ten seconds and again every ten, and wakes from callers do not spin', async () => {
  let clock = 0;
  let looks = 0;
  const said: number[] = [];
  const held: Held = { heldBy: [{ transaction: '3/17', pid: 4711 }] };
  const deliveries = {
    lease: async () => true,
    next: async () => {
      looks++;
      clock += 3000;
      return looks < 12 ? held : null;
    },
  };
  const courier = new Courier(
    target,
    deliveries as unknown as Deliveries,
    {
      attempted: () => {},
      stumbled: (_target, error) => {
        throw error;
      },
      held: (_target, by, forMs) => {
        expect(by).toEqual(held);
        said.push(forMs);
      },
      advanced: () => {},
    },
    {
      backoff: { firstMs: 1, maxMs: 1 },
      spacingMs: 0,
      pollMs: 60_000,
      random: () => 0,
      now: () => clock,
    },
  );
  const started = performance.now();
  courier.start();
  const wakes = setInterval(() => courier.notify(), 1);
  await until('all looks', () => looks >= 12);
  clearInterval(wakes);
  await courier.stop(1000);
  // Backoff of 25, 50, 100, 200, 400 ms and then half a second, whatever wakes it.
  expect(performance.now() - started).toBeGreaterThan(3000);
  expect(said).toEqual([12_000, 24_000]);
});
