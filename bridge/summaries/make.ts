import type { Summary } from '../../shared/contract/summary.ts';
import { DEADLINE_MS } from '../../shared/contract/summary.ts';
import { extractiveSummary } from './maker.ts';
import { type Opening, openingOf } from './opening.ts';
import type { Draft } from './policy/check/answer.ts';
import { count, likely, PRIOR } from './policy/estimator.ts';
import { reasonOf } from './policy/failures.ts';
import type { Work } from './policy/plan.ts';
import { noteLine } from './policy/prompt.ts';
import { type Chunk, type KnownRecord, type Note, parseRecord, WRITTEN_MAX, type Written } from './policy/record.ts';
import { PROMPT_VERSION } from './policy/version.ts';
import { readComments } from './read.ts';
import type { Parts, Run } from './run.ts';
import type { Assignment, Engine, FailureName, Listen, Made, ModelInfo } from './types.ts';
import { write } from './write.ts';

/** Made once: an abort without a reason makes an error with a stack of its own. */
const OVER = new Error('the summary is made');
const LATE = new Error('the deadline passed');
/** Milliseconds before the deadline at which generating ends: what is there is answered in time. */
const RESERVE_MS = 150;
/** Likely tokens of notes from which on the points written from them stand for them: each time would be a summary of summaries. */
const REBASE_TOKENS = 260;

/**
 * Makes the summary of a thread: plans what it costs, has new comments read and noted, and the summary written from the notes. What
 * fails, or takes too long, ends in an extractive summary that says why; what was read until then is kept in the record, so that the
 * next time goes on from there. Never throws; answers by the deadline as far as `signal` and `parts.sleep` let it.
 */
export async function make(assignment: Assignment, parts: Parts, signal: AbortSignal, listen: Listen): Promise<Made> {
  const { options } = assignment;
  const startedAt = parts.now();
  const byOptions = startedAt + (options.deadlineMs ?? DEADLINE_MS[options.priority]);
  const stopAt = () => {
    const deadlineAt = parts.deadlineAt?.() ?? byOptions;
    return deadlineAt - Math.min(RESERVE_MS, (deadlineAt - startedAt) / 10);
  };
  const over = new AbortController();
  const late = new AbortController();
  void passed(stopAt, parts, over.signal).then(() => over.signal.aborted || late.abort(LATE));
  const bounded = AbortSignal.any([signal, late.signal]);
  try {
    const known = await modelOf(parts, bounded);
    if (!known.ok) return fallback(assignment, parts, null, reasonOf(known.failure));
    const run = newRun(assignment, parts, known.model, bounded, stopAt, listen);
    return await follow(assignment, run);
  } finally {
    over.abort(OVER);
  }
}

/** Which model there is; `aborted` at the deadline, whether or not the engine listens to the signal. */
function modelOf({ engine }: Parts, signal: AbortSignal): ReturnType<Engine['model']> {
  return new Promise((resolve) => {
    const failed = (failure: FailureName, message: string) => resolve({ ok: false, failure, message });
    signal.addEventListener('abort', () => failed('aborted', 'the deadline passed'), { once: true });
    engine.model(signal).then(resolve, (error: unknown) => failed('not-ollama', `the engine threw: ${String(error)}`));
  });
}

/** Resolves at `at`, as late as it has become meanwhile; at once when `signal` aborts. */
async function passed(at: () => number, { now, sleep }: Parts, signal: AbortSignal): Promise<void> {
  let until = Number.NEGATIVE_INFINITY;
  while (at() > until && !signal.aborted) {
    until = at();
    await sleep(Math.max(0, until - now()), signal);
  }
}

function newRun(
  { options, record }: Assignment,
  parts: Parts,
  model: ModelInfo,
  signal: AbortSignal,
  stopAt: () => number,
  listen: Listen,
): Run {
  const rates = parts.learnt?.get(model.digest) ?? parseRecord(record)?.rates ?? PRIOR;
  const spent = { calls: 0, promptTokens: 0, completionTokens: 0, firstTokenMs: null, generatedMs: 0 };
  return { parts, model, options, signal, stopAt, listen, rates, ...spent };
}

async function follow(assignment: Assignment, run: Run): Promise<Made> {
  const { model, rates, parts } = run;
  const about = { model, rates, random: parts.random };
  const opening = parts.foresight?.open(assignment, about) ?? openingOf(assignment, about);
  const { planned } = opening;
  parts.planned?.(planned);
  if (planned.do === 'reuse') return { summary: asReused(planned.written.summary, run), record: planned.record };
  const made = await readAndWrite(assignment, run, planned, opening);
  if (made !== 'refused') return made;
  // Nothing of a thread summarised at once passed the checks: read it piece by piece, so that one comment does not spoil the rest.
  const apart = { ...planned, unread: [planned.tail], tail: [], whole: false };
  const again = await readAndWrite(assignment, run, apart, { ...opening, prompt: null });
  return again === 'refused' ? fallback(assignment, parts, planned.record, 'refused-answer', run) : again;
}

/** `refused`: the whole thread in one prompt gave no answer that passed the checks. */
async function readAndWrite(
  assignment: Assignment,
  run: Run,
  planned: Work,
  { language, prompt }: Omit<Opening, 'planned'>,
): Promise<Made | 'refused'> {
  const { thread } = assignment;
  const read = await readComments(run, planned.unread, 1);
  const record: KnownRecord = {
    ...planned.record,
    chunks: [...planned.record.chunks, ...read.chunks],
    rates: run.rates,
  };
  if (record.chunks.every(({ refused }) => refused) && planned.tail.length === 0) {
    const reason = read.failure === null ? 'refused-answer' : why(read.failure);
    return fallback(assignment, run.parts, record, reason, run);
  }
  const notes = [...(planned.base?.base.notes ?? []), ...unstood(record.chunks, planned.base)];
  const written = await write(run, { notes, tail: planned.tail, title: thread.title, language, prompt });
  if (!written.ok && written.failure === 'refused' && planned.whole && planned.tail.length > 1) return 'refused';
  if (!written.ok) return fallback(assignment, run.parts, { ...record, rates: run.rates }, why(written.failure), run);
  return finish(assignment, run, planned, { ...record, rates: run.rates }, written.value, {
    language,
    failure: read.failure,
    notes,
  });
}

/** Notes of the chunks that an earlier writing's points do not stand for. */
function unstood(chunks: readonly Chunk[], base: Written | undefined): readonly Note[] {
  const stood = new Set(base?.base.of);
  return chunks.filter(({ of }) => !of.every((number) => stood.has(number))).flatMap(({ notes }) => notes);
}

interface Circumstances {
  readonly language: string | undefined;
  readonly failure: string | null;
  /** That it was written from. */
  readonly notes: readonly Note[];
}

const weightOf = (notes: readonly Note[], { rates }: Run): number =>
  likely(count(notes.map(noteLine).join('\n')), rates);

function finish(
  { thread }: Assignment,
  run: Run,
  work: Work,
  record: KnownRecord,
  draft: Draft,
  { language, failure, notes }: Circumstances,
): Made {
  const whole: readonly Chunk[] = work.whole ? [{ of: numbersOf(work.tail), notes: [...draft.points] }] : [];
  const chunks = [...record.chunks, ...whole];
  const chunked = chunks.flatMap(({ of }) => of);
  const of = [...new Set([...chunked, ...numbersOf(work.tail)])];
  const present = new Set(work.numbers.values());
  const refused = new Set(chunks.filter((chunk) => chunk.refused).flatMap((chunk) => chunk.of));
  const covered = of.filter((number) => present.has(number) && !refused.has(number)).length;
  const coverage = { comments: thread.comments.length, covered, omitted: thread.comments.length - covered };
  const summary: Summary = {
    threadId: thread.id,
    summary: draft.summary,
    points: draft.points.map(({ text, of: cited }) => ({
      text,
      commentIds: cited.flatMap((n) => record.comments[n]?.id ?? []),
    })),
    engine: 'model',
    model: run.model.name,
    promptVersion: PROMPT_VERSION,
    language: language ?? 'und',
    coverage,
    stale: false,
    cached: false,
    ...(failure === null && refused.size === 0 ? {} : { reason: 'partial' }),
    tokens: { prompt: run.promptTokens, completion: run.completionTokens },
    timings: timings(run),
    createdAt: new Date(run.parts.now()).toISOString(),
  };
  const anchor = work.base?.anchor ?? work.numbers.size;
  // What is not finished has no key: whoever asks again goes on where it ended.
  const key = failure === null ? work.key : '';
  const light = weightOf(notes, run) <= REBASE_TOKENS && !work.whole;
  const kept = work.base?.base ?? { notes: [], of: [] };
  const base = light ? kept : { notes: [...draft.points], of: [...new Set(chunked)] };
  const written: Written = { options: work.options, key, of, base, anchor, summary };
  const others = record.written.filter(({ options }) => options !== work.options);
  return { summary, record: { ...record, chunks, written: [written, ...others].slice(0, WRITTEN_MAX) } };
}

const numbersOf = (lines: Work['tail']): number[] => [...new Set(lines.map(({ number }) => number))];

const timings = (run: Run): Summary['timings'] => ({
  queuedMs: run.parts.queuedMs ?? 0,
  firstTokenMs: run.firstTokenMs,
  generatedMs: run.generatedMs,
  totalMs: 0,
});

function asReused(summary: Summary, run: Run): Summary {
  return { ...summary, cached: true, tokens: { prompt: 0, completion: 0 }, timings: timings(run) };
}

/** Sentences of the thread itself; what was spent and read until then is not lost. */
function fallback(
  { thread, options }: Assignment,
  { extract, now }: Parts,
  record: KnownRecord | null,
  reason: string,
  run?: Run,
): Made {
  const summary = extractiveSummary(extract, { thread, options, reason, now: now() });
  const tokens = { prompt: run?.promptTokens ?? 0, completion: run?.completionTokens ?? 0 };
  return { summary: { ...summary, tokens, ...(run ? { timings: timings(run) } : {}) }, record };
}

function why(failure: FailureName | 'refused' | 'split' | 'deadline' | null): string {
  if (failure === 'refused') return 'refused-answer';
  if (failure === 'split') return 'context-too-small';
  return failure === null || failure === 'deadline' ? 'deadline' : reasonOf(failure);
}
