import { type Answer, ask } from './ask.ts';
import { sentenceStream } from './partial.ts';
import { checkDraft, type Draft } from './policy/check/answer.ts';
import { type Line, totalOf } from './policy/chunks.ts';
import { count, estimate } from './policy/estimator.ts';
import { SAFETY } from './policy/plan.ts';
import { noteLine, pointsFor, sentencesFor, writePrompt, writeSystem } from './policy/prompt.ts';
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
}

/** Asks for the summary itself, from notes (fewer, where they do not fit) and comments. */
export async function write(run: Run, writing: Writing): Promise<Answer<Draft>> {
  for (const scale of [1, 0.6, 0.36]) {
    const answer = await writeWithin(run, writing, scale);
    if (answer.ok || answer.failure !== 'split') return answer;
  }
  return { ok: false, failure: 'context-exceeded' };
}

async function writeWithin(run: Run, { notes, tail, title, language }: Writing, scale: number): Promise<Answer<Draft>> {
  const { options } = run;
  const own = 120 + (sentencesFor(options) + pointsFor(options)) * 80 + SAFETY;
  const system = estimate(count(writeSystem(options, language)), run.rates) + estimate(count(title ?? ''), run.rates);
  const room = (run.model.contextTokens - own - system) * scale - estimate(totalOf(tail), run.rates);
  const fewer = notes.length === 0 ? ({ ok: true, value: notes } as const) : await condense(run, notes, room);
  if (!fewer.ok) return fewer;
  const lines = [...fewer.value.map(noteLine), ...tail.map(({ text }) => text)];
  const numbers = new Set([...fewer.value.flatMap(({ of }) => of), ...tail.map(({ number }) => number)]);
  const prompt = writePrompt(lines, numbers, { options, language, title }, run.parts.random);
  const asked = { sentences: sentencesFor(options), points: pointsFor(options), language };
  const input = { prompt, language };
  const onText = sentenceStream(input, asked.sentences, (delta) => run.listen('text', { delta }));
  run.listen('progress', { phase: 'writing', done: run.calls, total: run.calls + 1 });
  return ask(run, prompt, (text) => checkDraft(text, prompt, asked), onText);
}
