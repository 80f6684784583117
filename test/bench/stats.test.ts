import { expect, test } from 'vitest';
import { median, pairedRatio, quantile, round } from './stats.ts';

test.each([
  [[3, 1, 2], 0.5, 2],
  [[4, 1, 2, 3], 0.5, 2.5],
  [[1, 2, 3, 4, 5], 0.25, 2],
  [[10, 20], 0.99, 19.9],
  [[7], 0.99, 7],
])('quantile of %j at %d is %d', (values, q, expected) => {
  expect(quantile(values, q)).toBeCloseTo(expected, 10);
});

test('without values there is no quantile', () => {
  expect(quantile([], 0.5)).toBeNaN();
});

test('a paired ratio ignores one round that went wrong for one of them', () => {
  expect(pairedRatio([100, 50, 10], [50, 25, 40])).toBe(2);
  expect(median([100, 50, 10]) / median([50, 25, 40])).toBe(1.25);
});

test('rounding', () => {
  expect([round(1.25, 1), round(1234.6)]).toEqual([1.3, 1235]);
});
