import { z } from 'zod';
import { visible } from '../clean.ts';
import { IDS_MAX, NOTE_MAX, POINT_MAX, type Prompt } from '../prompt.ts';
import type { Note } from '../record.ts';
import { addresses, echoes, obeys } from './injection.ts';
import { strictJson } from './json.ts';
import { otherLanguage } from './language.ts';
import { leadsAway } from './links.ts';

/** What is wrong with an answer, in words that a model understands and a log may hold. */
export type Flaw =
  | 'not the JSON asked for'
  | 'unknown comment ids'
  | 'too many comment ids'
  | 'too many sentences'
  | 'too many points'
  | 'too long'
  | 'empty text'
  | 'links, addresses or handles'
  | 'markup or hidden characters'
  | 'another language'
  | 'speaks to the reader'
  | 'repeats an instruction'
  | 'repeats the prompt'
  | 'says the same twice';

export type Checked<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly flaw: Flaw };

const Item = z.strictObject({ text: z.string(), ids: z.array(z.string()).min(1) });
const ReadAnswer = z.strictObject({ notes: z.array(Item).min(1) });
const WriteAnswer = z.strictObject({ summary: z.string(), points: z.array(Item).min(1) });

const MARKUP =
  /<\/?[a-z!|]|\|>|\[\/?inst\]|&(?:#\d+|#x[\da-f]+|[a-z]+);|\*\*|^\s*(?:#{1,6}|[-*+•>]|\d+[.)])\s|```|~~|\{\{|‹\s*[/|]|\|\s*›|‹\s*(?:im_|start_of|end_of|eot|system|sys|assistant|user|inst|s›)/imu;
/** Names of a program, or markup: the former where a comment has the very same. `‹` is what the prompt makes of `<`. */
const EITHER = /\S*(?:__\w|\|\||[‹›])\S*/gu;
const CONTROLS = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/u;

const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });

/** Sentences of a text, in any script. */
export function sentences(text: string): readonly string[] {
  const found = [...SENTENCES.segment(text)];
  return found.map(({ segment }) => segment.trim()).filter((segment) => /[\p{L}\p{N}]/u.test(segment));
}

/** What a text is measured against. */
export interface Input {
  readonly prompt: Pick<Prompt, 'user' | 'nonce' | 'orders' | 'phrases'>;
  /** Of the text asked for, where it is known. */
  readonly language: string | undefined;
}

/** Whether 3 to 60 characters follow each other five times or more. */
function stutters(text: string): boolean {
  for (let period = 3; period <= 60 && period * 5 <= text.length; period++) {
    let same = 0;
    for (let at = period; at < text.length; at++) {
      same = text.charCodeAt(at) === text.charCodeAt(at - period) ? same + 1 : 0;
      if (same >= period * 4) return true;
    }
  }
  return false;
}

const trimmed = (word: string): string => word.replace(/^["'“”(]+|["'“”).,;:!?]+$/gu, '');

/** The first flaw of one text, apart from its length and citations. */
export function flawOf(text: string, { prompt, language }: Input): Flaw | undefined {
  if (!/[\p{L}\p{N}]/u.test(text)) return 'empty text';
  if (CONTROLS.test(text) || MARKUP.test(text)) return 'markup or hidden characters';
  if (text.match(EITHER)?.some((one) => !prompt.user.includes(trimmed(one)))) return 'markup or hidden characters';
  if (leadsAway(text, prompt.user)) return 'links, addresses or handles';
  if (addresses(text)) return 'speaks to the reader';
  if (text.toLowerCase().includes(prompt.nonce) || echoes(text, prompt.phrases)) return 'repeats the prompt';
  if (obeys(text, prompt.orders)) return 'repeats an instruction';
  if (stutters(text)) return 'says the same twice';
  return language !== undefined && otherLanguage(text, language) ? 'another language' : undefined;
}

/** A text as one that says the same has it. */
export const same = (text: string): string =>
  visible(text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
const twice = (texts: readonly string[]): boolean => new Set(texts.map(same)).size < texts.length;

type RawItem = z.infer<typeof Item>;

function itemsOf(
  raw: readonly RawItem[],
  most: number,
  length: number,
  input: Input,
  numbers: ReadonlySet<number>,
): Checked<Note[]> {
  if (raw.length > most) return { ok: false, flaw: 'too many points' };
  const notes: Note[] = [];
  for (const { text: rawText, ids } of raw) {
    const text = rawText.replaceAll('`', '').trim();
    if (text.length > length) return { ok: false, flaw: 'too long' };
    // Only the very form c12: a look-alike letter or c012 names nothing.
    const of = [...new Set(ids)].map((id) => (/^c(?:0|[1-9]\d{0,5})$/.test(id) ? Number(id.slice(1)) : -1));
    if (of.some((number) => !numbers.has(number))) return { ok: false, flaw: 'unknown comment ids' };
    if (of.length > IDS_MAX) return { ok: false, flaw: 'too many comment ids' };
    const flaw = flawOf(text, input);
    if (flaw !== undefined) return { ok: false, flaw };
    notes.push({ text, of });
  }
  return twice(notes.map(({ text }) => text)) ? { ok: false, flaw: 'says the same twice' } : { ok: true, value: notes };
}

/** Notes as a model answered them. An invented citation refuses the whole answer: what invents once may have invented more. */
export function checkNotes(text: string, prompt: Prompt, most: number): Checked<readonly Note[]> {
  const parsed = ReadAnswer.safeParse(strictJson(text));
  if (!parsed.success) return { ok: false, flaw: 'not the JSON asked for' };
  return itemsOf(parsed.data.notes, most, NOTE_MAX, { prompt, language: undefined }, prompt.numbers);
}

export interface Draft {
  readonly summary: string;
  readonly points: readonly Note[];
}

/** A summary as a model answered it. */
export function checkDraft(
  text: string,
  prompt: Prompt,
  asked: { readonly sentences: number; readonly points: number; readonly language: string | undefined },
): Checked<Draft> {
  const parsed = WriteAnswer.safeParse(strictJson(text));
  if (!parsed.success) return { ok: false, flaw: 'not the JSON asked for' };
  const input: Input = { prompt, language: asked.language };
  const summary = parsed.data.summary.replaceAll('`', '').trim();
  const flaw = flawOf(summary, input);
  if (flaw !== undefined) return { ok: false, flaw };
  const said = sentences(summary);
  if (said.length > asked.sentences) return { ok: false, flaw: 'too many sentences' };
  if (summary.length > asked.sentences * 400) return { ok: false, flaw: 'too long' };
  if (twice(said)) return { ok: false, flaw: 'says the same twice' };
  const points = itemsOf(parsed.data.points, asked.points, POINT_MAX, input, prompt.numbers);
  return points.ok ? { ok: true, value: { summary, points: points.value } } : points;
}
