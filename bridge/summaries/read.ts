import { type Answer, ask } from './ask.ts';
import { checkNotes } from './policy/check/answer.ts';
import { orders } from './policy/check/injection.ts';
import { type Line, splitLine, takeLines, totalOf } from './policy/chunks.ts';
import { count, estimate, likely } from './policy/estimator.ts';
import { SAFETY } from './policy/plan.ts';
import { noteLine, notesFor, readPrompt, readSystem } from './policy/prompt.ts';
import type { Chunk, Note } from './policy/record.ts';
import { type Run, timeFor } from './run.ts';

/** Splits of one making before it gives up. */
const SPLITS_MAX = 12;
/** Refused answers of one making before it gives up: enough to find a comment among a hundred, twice. */
const ISOLATIONS_MAX = 16;

type Queue = readonly (readonly Line[])[];
type Failure = Extract<Answer<never>, { ok: false }>['failure'];

const numbersOf = (lines: readonly Line[]): number[] => [...new Set(lines.map(({ number }) => number))];

/** Notes that a context has room for beside what they are on. */
const mostNotes = (run: Run): number => Math.max(1, Math.min(12, Math.floor((run.model.contextTokens / 4 - 80) / 70)));

/** Tokens left for the lines of a prompt that asks for notes. */
function lineBudget(run: Run, scale: number): number {
  const notes = mostNotes(run);
  const system = estimate(count(readSystem(notes)), run.rates);
  return Math.floor((run.model.contextTokens - (80 + notes * 70) - SAFETY - system) * scale) - 16;
}

function noteOn(
  run: Run,
  lines: readonly string[],
  numbers: readonly number[],
  most: number,
): Promise<Answer<readonly Note[]>> {
  const prompt = readPrompt(lines, new Set(numbers), most, run.parts.random);
  return ask(run, prompt, (text) => checkNotes(text, prompt, most));
}

export interface ReadOutcome {
  readonly chunks: readonly Chunk[];
  /** Why comments were left unread; null: none were. */
  readonly failure: Failure | 'deadline' | null;
}

/**
 * Reads comments chunk by chunk and takes notes. What does not fit is read in smaller prompts; when time or the model ends, what
 * was noted so far is the outcome. `keep`: generations to leave time for.
 */
export async function readComments(run: Run, unread: Queue, keep: number): Promise<ReadOutcome> {
  const chunks: Chunk[] = [];
  // Parts of a refused chunk come before what was not read yet, each by itself.
  const waiting: (readonly Line[])[] = [];
  let queue = unread;
  let [scale, splits, isolations] = [1, 0, 0];
  while (waiting.length + queue.length > 0) {
    if (chunks.length > 0 && !timeFor(run, 1 + keep)) return { chunks, failure: 'deadline' };
    const budget = lineBudget(run, scale);
    if (budget < 48) return { chunks, failure: 'split' };
    const part = waiting.shift();
    const { taken, rest } = takeLines(part === undefined ? queue : [part], budget, run.rates);
    if (part === undefined) queue = rest;
    else waiting.unshift(...rest);
    const ahead = likely(totalOf(queue.flat()), run.rates) / budget;
    run.listen('progress', { phase: 'reading', done: chunks.length, total: chunks.length + 2 + Math.ceil(ahead) });
    const chunk = await readChunk(run, taken, budget);
    if (chunk.ok) chunks.push(chunk.value);
    else if (chunk.failure === 'split' && splits < SPLITS_MAX) {
      splits++;
      scale *= 0.6;
      waiting.unshift(taken);
    } else if (chunk.failure === 'refused' && isolations < ISOLATIONS_MAX) {
      isolations++;
      const parts = apart(taken);
      if (parts === null) chunks.push({ of: numbersOf(taken), notes: [], refused: true });
      else waiting.unshift(...parts);
    } else return { chunks, failure: chunk.failure };
  }
  return { chunks, failure: null };
}

/**
 * Comments apart that an answer was refused on: what speaks to the model from the rest, else half from half; null: there is one only.
 * Without it a single comment that a model obeys would keep all others from being read.
 */
function apart(lines: readonly Line[]): readonly (readonly Line[])[] | null {
  if (lines.length < 2) return null;
  const loud = new Set(orders(lines.map(({ text }) => text)));
  const [suspect, rest] = [lines.filter(({ text }) => loud.has(text)), lines.filter(({ text }) => !loud.has(text))];
  if (suspect.length > 0 && rest.length > 0) return [rest, suspect];
  const half = lines.length >> 1;
  return [lines.slice(0, half), lines.slice(half)];
}

/** One chunk: a prompt, or several where a single comment fits none. It is read whole or not at all. */
async function readChunk(run: Run, lines: readonly Line[], budget: number): Promise<Answer<Chunk>> {
  const of = numbersOf(lines);
  const [only] = lines;
  const prompts = lines.length === 1 && only ? splitLine(only, budget, run.rates).map((part) => [part]) : [lines];
  const notes: Note[] = [];
  for (const prompt of prompts) {
    const most = prompts.length > 1 ? Math.min(2, mostNotes(run)) : Math.min(notesFor(of.length), mostNotes(run));
    const answer = await noteOn(
      run,
      prompt.map(({ text }) => text),
      of,
      most,
    );
    if (!answer.ok) return answer;
    notes.push(...answer.value);
  }
  return { ok: true, value: { of, notes } };
}

/** Fewer notes on the same comments, until they fit into `budget` tokens. */
export async function condense(run: Run, notes: readonly Note[], budget: number): Promise<Answer<readonly Note[]>> {
  let current = notes;
  for (let round = 0; round < 8; round++) {
    const lines = current.map((note, index): Line => {
      const text = noteLine(note);
      return { number: index, text, counts: count(`${text}\n`) };
    });
    if (estimate(totalOf(lines), run.rates) <= budget) return { ok: true, value: current };
    const next: Note[] = [];
    let queue: Queue = lines.map((line) => [line]);
    while (queue.length > 0) {
      const { taken, rest } = takeLines(queue, lineBudget(run, 0.8 ** round), run.rates);
      const group = taken.flatMap(({ number }) => current[number] ?? []);
      const most = Math.max(1, Math.min(mostNotes(run), Math.ceil(group.length / 3)));
      const numbers = group.flatMap(({ of }) => of);
      const answer = await noteOn(
        run,
        taken.map(({ text }) => text),
        numbers,
        most,
      );
      if (!answer.ok && answer.failure !== 'split') return answer;
      if (!answer.ok) return { ok: false, failure: 'context-exceeded' };
      next.push(...answer.value);
      queue = rest;
    }
    if (next.length >= current.length) break;
    current = next;
  }
  return { ok: false, failure: 'context-exceeded' };
}
