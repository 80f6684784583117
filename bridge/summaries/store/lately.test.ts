import { expect, test } from 'vitest';
import { Lately } from './lately.ts';

test('the latest so many, whatever came before', () => {
  const lately = new Lately(2);
  for (const name of ['a', 'b', 'a', 'c']) lately.add(name);
  expect(['a', 'b', 'c'].map((name) => lately.has(name))).toEqual([true, false, true]);
});
