import { expect, test } from 'vitest';
import { preferenceApplied, readPrefer } from './prefer.ts';

test.each<[string | undefined, boolean, number | null, string | null]>([
  [undefined, false, null, null],
  ['respond-async', true, null, 'respond-async'],
  ['Respond-Async, wait=10', true, 10, 'respond-async, wait=10'],
  ['wait="5"', false, 5, 'wait=5'],
  ['wait=5;foo=bar, respond-async;x', true, 5, 'respond-async, wait=5'],
  ['wait=3, wait=9', false, 3, 'wait=3'],
  ['wait=soon, handling=lenient', false, null, null],
  ['wait=-1', false, null, null],
  ['', false, null, null],
])('Prefer: %s', (value, respondAsync, wait, applied) => {
  const preferences = readPrefer(value);
  expect(preferences).toEqual({ respondAsync, wait });
  expect(preferenceApplied(preferences)).toBe(applied);
});
