import fc from 'fast-check';
import { expect, test } from 'vitest';
import { admit, order, type QueueLimits, retryAfterMs, smoothed, type Waiting } from './policy.ts';

const LIMITS: QueueLimits = { slots: 1, max: 4, perCaller: 2, waitersMax: 100, ageMs: 60_000 };
const NOW = 1_000_000;
const item = (seq: number, caller: string, priority: Waiting['priority'] = 'interactive', since = NOW): Waiting => ({
  seq,
  caller,
  priority,
  since,
});

test.each([
  ['room', [], 'a', 'interactive', 'ok'],
  ['full', [item(1, 'a'), item(2, 'b'), item(3, 'c'), item(4, 'd')], 'e', 'interactive', 'full'],
  ['the caller has its share', [item(1, 'a'), item(2, 'a')], 'a', 'interactive', 'caller-full'],
  ['another caller has its own', [item(1, 'a'), item(2, 'a')], 'b', 'interactive', 'ok'],
  [
    'background leaves room for readers',
    [item(1, 'a', 'background'), item(2, 'b', 'background'), item(3, 'c', 'background')],
    'd',
    'background',
    'full',
  ],
  [
    'and readers find it',
    [item(1, 'a', 'background'), item(2, 'b', 'background'), item(3, 'c', 'background')],
    'd',
    'interactive',
    'ok',
  ],
] as const)('admission: %s', (_name, waiting, caller, priority, expected) => {
  const admission = admit(waiting, { caller, priority }, LIMITS);
  expect(admission.ok ? 'ok' : admission.reason).toBe(expected);
});

const seqs = (waiting: Waiting[], served: [string, number][] = []) =>
  order(waiting, new Map(served), NOW, LIMITS.ageMs).map(({ seq }) => seq);

test.each([
  ['arrival within a caller', [item(2, 'a'), item(1, 'a')], [], [1, 2]],
  ['callers take turns', [item(1, 'a'), item(2, 'a'), item(3, 'a'), item(4, 'b')], [], [1, 4, 2, 3]],
  [
    'who was served last comes last',
    [item(1, 'a'), item(2, 'b')],
    [
      ['a', 7],
      ['b', 3],
    ],
    [2, 1],
  ],
  ['readers first', [item(1, 'a', 'background'), item(2, 'b')], [], [2, 1]],
  ['long waits are urgent', [item(1, 'a', 'background', NOW - 60_000), item(2, 'b')], [['b', 1]], [1, 2]],
] as [string, Waiting[], [string, number][], number[]][])('order: %s', (_name, waiting, served, expected) => {
  expect(seqs(waiting, served)).toEqual(expected);
});

const arbitraryItems = fc
  .array(fc.record({ caller: fc.constantFrom('a', 'b', 'c'), background: fc.boolean(), age: fc.nat(120_000) }))
  .map((list) =>
    list.map(({ caller, background, age }, seq) =>
      item(seq, caller, background ? 'background' : 'interactive', NOW - age),
    ),
  );

test('the order is a permutation: nothing is lost or doubled', () => {
  fc.assert(
    fc.property(arbitraryItems, (waiting) => {
      expect(seqs(waiting).sort((a, b) => a - b)).toEqual(waiting.map(({ seq }) => seq));
    }),
  );
});

test('an urgent item waits for at most one turn of each caller for each older urgent item of its own', () => {
  fc.assert(
    fc.property(arbitraryItems, (waiting) => {
      const places = seqs(waiting);
      const urgent = waiting.filter(({ priority, since }) => priority === 'interactive' || NOW - since >= 60_000);
      const callers = new Set(urgent.map(({ caller }) => caller)).size;
      for (const one of urgent) {
        const older = urgent.filter(({ caller, seq }) => caller === one.caller && seq < one.seq).length;
        expect(places.indexOf(one.seq)).toBeLessThan((older + 1) * callers);
      }
    }),
  );
});

test('what is told to come back is bounded, and follows the pace', () => {
  expect(retryAfterMs(1, 20, 1)).toBe(1000);
  expect(retryAfterMs(4, 15_000, 2)).toBe(30_000);
  expect(retryAfterMs(1000, 60_000, 1)).toBe(120_000);
  expect(smoothed(10_000, 20_000)).toBe(12_000);
});
