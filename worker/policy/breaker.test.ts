import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, type BreakerState, CLOSED, failed, succeeded } from './breaker.ts';

const OPTIONS = { threshold: 3, windowMs: 10_000, baseMs: 1000, maxMs: 8000, probeTimeoutMs: 5000 };
/** Full pause: `random` just below 1. */
const open = (times: number, now = 0): BreakerState => {
  let state: BreakerState = CLOSED;
  for (let i = 0; i < OPTIONS.threshold; i++) state = failed(state, now, 1, OPTIONS, false);
  for (let i = 1; i < times; i++) state = failed(state, now, 1, OPTIONS, true);
  return state;
};

describe('closed', () => {
  test('admits everything, no probe', () => {
    expect(admit(CLOSED, 0, OPTIONS)).toEqual({ admit: true, probe: false, state: CLOSED });
  });

  test('opens at the threshold of failures, not before', () => {
    const two = failed(failed(CLOSED, 0, 0, OPTIONS, false), 0, 0, OPTIONS, false);
    expect(admit(two, 0, OPTIONS).admit).toBe(true);
    expect(admit(failed(two, 0, 0, OPTIONS, false), 0, OPTIONS).admit).toBe(false);
  });
});

describe('the window', () => {
  test('one bad page among good ones does not make a dead home', () => {
    let state: BreakerState = succeeded(CLOSED, 20_000, OPTIONS);
    for (let i = 0; i < 6; i++) state = succeeded(state, 20_000, OPTIONS);
    for (let i = 0; i < 6; i++) state = failed(state, 20_001, 0, OPTIONS, false);
    expect(admit(state, 20_002, OPTIONS).admit).toBe(true);
    expect(admit(failed(state, 20_003, 0, OPTIONS, false), 20_004, OPTIONS).admit).toBe(false);
  });

  test('failures of long ago are forgotten', () => {
    const two = failed(failed(CLOSED, 20_000, 0, OPTIONS, false), 20_000, 0, OPTIONS, false);
    expect(failed(two, 40_000, 0, OPTIONS, false)).toMatchObject({ failures: 1, openUntil: 0 });
  });
});

describe('open', () => {
  test('refuses until its pause is over, and says how long that is', () => {
    expect(admit(open(1), 400, OPTIONS)).toEqual({ admit: false, retryAfterMs: 600 });
  });

  test.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 8000],
    [9, 8000],
    [2000, 8000],
  ])('after %d failed probes in a row the pause is at most %d ms', (times, ms) => {
    expect(open(times).openUntil).toBe(ms);
  });

  test('jitter spreads the pause over its upper half', () => {
    const at = (random: number): number => failed(open(1), 5000, random, OPTIONS, true).openUntil - 5000;
    expect([at(0), at(0.5), at(1)]).toEqual([1000, 1500, 2000]);
  });

  test('failures of requests sent before it opened say nothing new: a burst does not lengthen the pause', () => {
    let state = open(1);
    for (let i = 0; i < 50; i++) state = failed(state, 10, 1, OPTIONS, false);
    expect(state).toEqual(open(1));
  });
});

describe('half-open', () => {
  test('one probe goes out, the others wait for it', () => {
    const first = admit(open(1), 1000, OPTIONS);
    expect(first).toMatchObject({ admit: true, probe: true });
    if (!first.admit) return;
    expect(admit(first.state, 1500, OPTIONS)).toEqual({ admit: false, retryAfterMs: 4500 });
  });

  test('a probe that never reports is given up', () => {
    const first = admit(open(1), 1000, OPTIONS);
    if (first.admit) expect(admit(first.state, 6000, OPTIONS)).toMatchObject({ admit: true, probe: true });
  });

  test('a late failure of an older request does not let a second probe out', () => {
    const first = admit(open(1), 1000, OPTIONS);
    if (!first.admit) return;
    const state = failed(first.state, 1100, 0, OPTIONS, false);
    expect(admit(state, 4000, OPTIONS).admit).toBe(false);
  });

  test('a probe that succeeds closes it', () => {
    expect(admit(succeeded(open(1), 0, OPTIONS), 1001, OPTIONS)).toMatchObject({ admit: true, probe: false });
  });
});

test('property: while open there is never more than one probe on its way, whatever comes back when', () => {
  const event = fc.record({
    wait: fc.integer({ min: 0, max: 3000 }),
    what: fc.constantFrom('request', 'request', 'probe-fails', 'late-failure'),
    random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let now = 0;
      let state = open(1);
      let probes: number[] = [];
      for (const { wait, what, random } of events) {
        now += wait;
        probes = probes.filter((since) => now - since < OPTIONS.probeTimeoutMs);
        if (what === 'request') {
          const admission = admit(state, now, OPTIONS);
          if (!admission.admit) {
            expect(admission.retryAfterMs).toBeGreaterThan(0);
            continue;
          }
          expect(admission.probe).toBe(true);
          probes.push(now);
          state = admission.state;
        } else if (what === 'late-failure') state = failed(state, now, random, OPTIONS, false);
        else if (probes.shift() !== undefined) state = failed(state, now, random, OPTIONS, true);
        expect(probes.length).toBeLessThanOrEqual(1);
        expect(state.openUntil - now).toBeLessThanOrEqual(OPTIONS.maxMs);
      }
    }),
    { numRuns: 500 },
  );
});
