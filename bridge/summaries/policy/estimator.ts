import { z } from 'zod';

/** Kinds of characters that tokenizers treat alike. `dense`: digits, and words so long that they are no words. */
export const CLASSES = ['latin', 'dense', 'cyrillic', 'han', 'other'] as const;
type Class = (typeof CLASSES)[number];
/** Characters of each kind in a text. */
export type Counts = Readonly<Record<Class, number>>;

const Rate = z.strictObject({ rate: z.number().min(0.02).max(8), seen: z.number().min(0) });
export const Rates = z.strictObject({ latin: Rate, dense: Rate, cyrillic: Rate, han: Rate, other: Rate });
/** Tokens per character as measured, and how many tokens the measure rests on. JSON. */
export type Rates = z.infer<typeof Rates>;

/** Guesses for a 32k to 256k vocabulary, on the high side. */
export const PRIOR: Rates = {
  latin: { rate: 0.36, seen: 0 },
  dense: { rate: 0.7, seen: 0 },
  cyrillic: { rate: 0.55, seen: 0 },
  han: { rate: 1.1, seen: 0 },
  other: { rate: 1.3, seen: 0 },
};
/** What a kind is multiplied with: twice while only guessed, a tenth once measured on some hundred tokens. */
const GUESSED = 2;
const MEASURED = 1.1;
const ENOUGH = 150;

const NONE: Counts = { latin: 0, dense: 0, cyrillic: 0, han: 0, other: 0 };
/** Characters from which on what stands together is no word. */
const LONG = 24;
const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;

/** Of every character there is: of ASCII too, where `count` says the same faster. */
function classOf(char: string): Class {
  if (/[\p{sc=Latin}\x20-\x2f\x3a-\x7e]/u.test(char)) return 'latin';
  if (/\d/.test(char)) return 'dense';
  if (/\p{sc=Cyrillic}|\p{sc=Greek}/u.test(char)) return 'cyrillic';
  return WIDE.test(char) ? 'han' : 'other';
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
/** False of the NaN behind the end. */
const isVisibleAscii = (code: number): boolean => code > 0x20 && code < 0x7f;
const isBlank = (code: number): boolean =>
  code < 0x80 ? code === 0x20 || (code >= 0x09 && code <= 0x0d) : /\s/.test(String.fromCharCode(code));

/** Character by character: a prompt is counted several times before it is sent. */
export function count(text: string): Counts {
  const counts: Record<Class, number> = { ...NONE };
  for (let at = 0; at < text.length; ) {
    const start = at;
    let digits = 0;
    for (; isVisibleAscii(text.charCodeAt(at)); at++) if (isDigit(text.charCodeAt(at))) digits++;
    const length = at - start;
    const ends = at === text.length || isBlank(text.charCodeAt(at));
    // With the blank behind it.
    const whole = length + (at < text.length ? 1 : 0);
    if (ends && length > 0 && whole > LONG) {
      counts.dense += whole;
      at++;
      continue;
    }
    counts.dense += digits;
    counts.latin += length - digits;
    at = countRest(text, at, counts);
  }
  return counts;
}

/** The rest of a word that is not of visible ASCII alone, and the blank behind it. @returns where the next begins */
function countRest(text: string, from: number, counts: Record<Class, number>): number {
  let at = from;
  while (at < text.length) {
    const char = String.fromCodePoint(text.codePointAt(at) ?? 0);
    at += char.length;
    if (char === ' ') counts.latin++;
    else counts[classOf(char)]++;
    if (isBlank(char.charCodeAt(0))) break;
  }
  return at;
}

export function add(a: Counts, b: Counts): Counts {
  return {
    latin: a.latin + b.latin,
    dense: a.dense + b.dense,
    cyrillic: a.cyrillic + b.cyrillic,
    han: a.han + b.han,
    other: a.other + b.other,
  };
}

/** The tokens to plan with: rather too many than too few. */
export function estimate(counts: Counts, rates: Rates): number {
  const one = (name: Class): number => {
    const { rate, seen } = rates[name];
    return counts[name] * rate * (MEASURED + ((GUESSED - MEASURED) * Math.max(ENOUGH - seen, 0)) / ENOUGH);
  };
  return Math.ceil(CLASSES.reduce((sum, name) => sum + one(name), 0));
}

/** The tokens most likely: for arithmetic that must not frighten, such as progress. */
export function likely(counts: Counts, rates: Rates): number {
  return CLASSES.reduce((sum, name) => sum + counts[name] * rates[name].rate, 0);
}

/**
 * What one prompt taught. A kind learns as far as the prompt consisted of it; an underestimate is believed at once, an
 * overestimate by halves, so that the estimate errs upwards.
 */
export function observe(counts: Counts, promptTokens: number, rates: Rates): Rates {
  const total = likely(counts, rates);
  if (!(total > 0) || !(promptTokens > 0)) return rates;
  const ratio = Math.min(Math.max(promptTokens / total, 0.2), 5);
  const next = { ...rates };
  for (const name of CLASSES) {
    const { rate, seen } = rates[name];
    const share = (counts[name] * rate) / total;
    if (share < 0.05) continue;
    const gain = ratio > 1 ? 1 : seen < ENOUGH ? share : share / 2;
    const learnt = Math.min(Math.max(rate * (1 + (ratio - 1) * gain), 0.02), 8);
    next[name] = { rate: learnt, seen: Math.min(seen + promptTokens * share, 1e9) };
  }
  return next;
}
