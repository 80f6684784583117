import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Counts, count } from './estimator.ts';

const NONE: Counts = { latin: 0, dense: 0, cyrillic: 0, han: 0, other: 0 };

test.each<[string, Partial<Counts>]>([
  ['', {}],
  ['two words', { latin: 9 }],
  ['in 2026', { latin: 3, dense: 4 }],
  ['größer', { latin: 6 }],
  ['мир κόσμος', { latin: 1, cyrillic: 9 }],
  ['備份 はい 예', { latin: 2, han: 5 }],
  ['😀\n', { other: 2 }],
  [`${'x'.repeat(24)} `, { dense: 25 }],
  [`${'x'.repeat(24)}`, { latin: 24 }],
  [`${'x'.repeat(25)}é`, { latin: 26 }],
  [`a ${'0'.repeat(30)}\nb`, { latin: 3, dense: 31 }],
])('%j', (text, expected) => {
  expect(count(text)).toEqual({ ...NONE, ...expected });
});

/** The definition, a character at a time. */
function defined(text: string): Counts {
  const counts: Record<keyof Counts, number> = { ...NONE };
  for (const word of text.split(/(?<=\s)/)) {
    if (word.length > 24 && /^[\x21-\x7e]+\s?$/.test(word)) counts.dense += word.length;
    else for (const char of word) counts[kindOf(char)]++;
  }
  return counts;
}

function kindOf(char: string): keyof Counts {
  if (/[\p{sc=Latin}\x20-\x2f\x3a-\x7e]/u.test(char)) return 'latin';
  if (/\d/.test(char)) return 'dense';
  if (/\p{sc=Cyrillic}|\p{sc=Greek}/u.test(char)) return 'cyrillic';
  return /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u.test(char) ? 'han' : 'other';
}

test('property: every text is counted as defined', () => {
  const long = 'abcdefghijklmnopqrstuvwxyz0123';
  const piece = fc.constantFrom(
    'a',
    'Zz',
    ' ',
    '\n',
    '9',
    'é',
    'я',
    '漢',
    '\u3000',
    '\ud800',
    '😀',
    long,
    '-',
    '\u2028',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  );
  fc.assert(
    fc.property(text, (given) => {
      expect(count(given)).toEqual(defined(given));
    }),
  );
});
