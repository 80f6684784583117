import { type Answer, ask } from './ask.ts';
import { sentenceStream } from './partial.ts';
import { checkDraft, type Draft } from './policy/check/answer.ts';
import { type Line, totalOf } from './policy/chunks.ts';
import { count, estimate } from './policy/estimator.ts';
import { SAFETY } from './policy/plan.ts';
import {
  noteLine,
  type Prompt,
  pointsFor,
  sentencesFor,
  tailPrompt,
  writePrompt,
  writeSystem,
} from './policy/prompt.ts';
import type { Note } from './policy/record.ts';
import { condense } from './read.ts';
import type { Run } from './run.ts';

export interface Writing {
  /** What was noted of comments that were read before. */
  readonly notes: readonly Note[];
  /** Comments as they are. */
  readonly tail: readonly Line[];
  readonly title: string | undefined;
  readonly language: string | undefined;
  /** Of just this, where there is one already. */
  readonly prompt: Prompt | null;
}

/** Asks for the summary itself, from notes (fewer, where they do not fit) and comments. */
export async function write(run: Run, writing: Writing): Promise<Answer<Draft>> {
  for (const scale of [1, 0.6, 0.36]) {
    const answer = await writeWithin(run, writing, scale);
    if (answer.ok || answer.failure !== 'split') return answer;
  }
  return { ok: false, failure: 'context-exceeded' };
}

async function writeWithin(run: Run, writing: Writing, scale: number): Promise<Answer<Draft>> {
  const { language, notes } = writing;
  const known = notes.length === 0 ? writing.prompt : null;
  const made = known ? ({ ok: true, value: known } as const) : await promptFor(run, writing, scale);
  if (!made.ok) return made;
  const prompt = made.value;
  const asked = { sentences: sentencesFor(run.options), points: pointsFor(run.options), language };
  const { isHeard = () => true } = run.parts;
  const hearer = { send: (delta: string) => run.listen('text', { delta }), isHeard };
  const onText = sentenceStream({ prompt, language }, asked.sentences, hearer);
  run.listen('progress', { phase: 'writing', done: run.calls, total: run.calls + 1 });
  return ask(run, prompt, (text) => checkDraft(text, prompt, asked), onText);
}

/** As many of the notes as there is room for beside the comments. */
async function promptFor(run: Run, { notes, tail, title, language }: Writing, scale: number): Promise<Answer<Prompt>> {
  const { options } = run;
  const { random } = run.parts;
  if (notes.length === 0) return { ok: true, value: tailPrompt(tail, { options, language, title }, random) };
  const own = 120 + (sentencesFor(options) + pointsFor(options)) * 80 + SAFETY;
  const system = estimate(count(writeSystem(options, language)), run.rates) + estimate(count(title ?? ''), run.rates);
  const room = (run.model.contextTokens - own - system) * scale - estimate(totalOf(tail), run.rates);
  const fewer = await condense(run, notes, room);
  if (!fewer.ok) return fewer;
  const lines = [...fewer.value.map(noteLine), ...tail.map(({ text }) => text)];
  const numbers = new Set([...fewer.value.flatMap(({ of }) => of), ...tail.map(({ number }) => number)]);
  return { ok: true, value: writePrompt(lines, numbers, { options, language, title }, random) };
}
