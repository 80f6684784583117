import { expect, test } from 'vitest';
import { NOW } from '../../test/support/times.ts';
import { bars, HOUR_MS, isDown, type Sighting, together, uptime } from './uptime.ts';

const seen = (given: Partial<Sighting>): Sighting => ({
  upstream: 'blog',
  at: NOW,
  up: 0,
  down: 0,
  ms: 0,
  said: '200',
  ...given,
});

test.each([
  [0, 0, false],
  [5, 0, false],
  [5, 4, false],
  [5, 5, true],
  [0, 1, true],
])('%d answered, %d not: down %s', (up, down, expected) => {
  expect(isDown({ up, down })).toBe(expected);
});

test('sightings add up; the later one has the last word, whatever the order', () => {
  const early = seen({ at: NOW, up: 1, ms: 10 });
  const late = seen({ at: NOW + 5, up: 3, down: 2, ms: 30, said: 'timeout' });
  const both = seen({ at: NOW + 5, up: 4, down: 2, ms: 25, said: 'timeout' });
  expect([together(early, late), together(late, early)]).toEqual([both, both]);
  expect(together(seen({ down: 1 }), seen({ down: 1 })).ms).toBe(0);
});

test('bars keep their gaps, and end with the current hour', () => {
  const at = NOW - HOUR_MS;
  const span = { at, up: 3, down: 1, ms: 9 };
  const drawn = bars([span, { ...span, at: NOW - 9 * HOUR_MS }], HOUR_MS, 3, NOW + 1_234);
  expect(drawn).toEqual([{ at: NOW - 2 * HOUR_MS }, { at, span }, { at: NOW }]);
});

test('uptime is of the minutes anyone looked', () => {
  expect(uptime([])).toBeUndefined();
  expect(uptime([{ at: 0, up: 0, down: 0, ms: 0 }])).toBeUndefined();
  expect(
    uptime([
      { at: 0, up: 3, down: 1, ms: 9 },
      { at: 1, up: 4, down: 0, ms: 9 },
    ]),
  ).toEqual({ minutes: 8, share: 7 / 8 });
});
