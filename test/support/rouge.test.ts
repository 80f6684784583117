import { describe, expect, test } from 'vitest';
import { seeded, shuffled } from './random.ts';
import { meanRouge, rouge, words } from './rouge.ts';

const of = (text: string) => words(text, 'en');

describe('ROUGE', () => {
  // The example of Lin 2004, section 4: one is right in words, the other in their order too.
  const reference = of('police killed the gunman');
  test.each<[string, number, number]>([
    ['police killed the gunman', 1, 1],
    ['police kill the gunman', 3 / 4, 1 / 3],
    ['the gunman kill police', 3 / 4, 1 / 3],
    ['gunman the killed police', 1, 0],
    ['nothing of this', 0, 0],
    ['', 0, 0],
  ])('%s', (text, one, two) => {
    expect(rouge(of(text), reference, 1).recall).toBeCloseTo(one, 10);
    expect(rouge(of(text), reference, 2).recall).toBeCloseTo(two, 10);
  });

  test('counts are clipped: saying a word often finds it once', () => {
    const { precision, recall, f1 } = rouge(of('the the the the'), reference, 1);
    expect([precision, recall, f1]).toEqual([0.25, 0.25, 0.25]);
  });

  test('several references count alike', () => {
    expect(meanRouge(of('a b'), [of('a b'), of('c d')], 1)).toBe(0.5);
  });
});

test('a seed gives the same order every time, another one another', () => {
  const list = Array.from({ length: 50 }, (_, at) => at);
  const order = shuffled(list, seeded(7));
  expect(shuffled(list, seeded(7))).toEqual(order);
  expect(shuffled(list, seeded(8))).not.toEqual(order);
  expect([...order].sort((a, b) => a - b)).toEqual(list);
});
