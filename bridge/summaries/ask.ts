import { backoff } from '../policy/backoff.ts';
import type { Checked, Flaw } from './policy/check/answer.ts';
import { estimate } from './policy/estimator.ts';
import { CONSEQUENCES } from './policy/failures.ts';
import type { Prompt } from './policy/prompt.ts';
import { learn, type Run, spend } from './run.ts';
import type { FailureName, GenerateResult } from './types.ts';

export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  /** `split`: with less in the prompt it may work. */
  | { readonly ok: false; readonly failure: FailureName | 'refused' | 'split'; readonly flaw?: Flaw };

const WAIT = { firstMs: 200, maxMs: 5_000 };
/** Room between a longer answer and the end of the context. */
const MARGIN = 96;

interface Attempt {
  seed: number;
  numPredict: number;
  flaw: Flaw | undefined;
  readonly failed: Map<FailureName, number>;
}

/**
 * Asks the model until an answer passes the checks: one repair that names the flaw, and after a failure what
 * {@link CONSEQUENCES} says. Never sends more than the context holds by the present estimate.
 */
export async function ask<Value>(
  run: Run,
  prompt: Prompt,
  check: (text: string) => Checked<Value>,
  onText?: (delta: string) => void,
): Promise<Answer<Value>> {
  const attempt: Attempt = { seed: seedOf(run), numPredict: prompt.numPredict, flaw: undefined, failed: new Map() };
  for (;;) {
    if (run.signal.aborted) return { ok: false, failure: 'aborted' };
    if (estimate(prompt.counts, run.rates) + attempt.numPredict + MARGIN > run.model.contextTokens) {
      return { ok: false, failure: 'split' };
    }
    const result = await generate(run, prompt, attempt, attempt.flaw === undefined ? onText : undefined);
    if (result.usage !== null) spend(run, result.usage);
    if (result.ok) {
      learn(run, prompt.counts, result.usage.promptTokens);
      const checked = check(result.text);
      if (checked.ok) return checked;
      if (attempt.flaw !== undefined) return { ok: false, failure: 'refused', flaw: checked.flaw };
      attempt.flaw = checked.flaw;
      attempt.seed = seedOf(run);
      run.listen('progress', { phase: 'repairing', done: 0, total: 1 });
      continue;
    }
    const end = await afterFailure(run, prompt, attempt, result);
    if (end !== undefined) return { ok: false, failure: end };
  }
}

const seedOf = (run: Run): number => Math.floor(run.parts.random() * 2 ** 31);

/** The engine's answer, or `aborted` as soon as the signal says so, whether or not the engine listens to it. */
function generate(
  run: Run,
  prompt: Prompt,
  attempt: Attempt,
  onText?: (delta: string) => void,
): Promise<GenerateResult> {
  const { system, schema } = prompt;
  const user =
    attempt.flaw === undefined ? prompt.user : `${prompt.user}\nYour last answer was refused: ${attempt.flaw}.`;
  const { numPredict, seed } = attempt;
  const request = { system, user, schema, numPredict, seed, ...(onText === undefined ? {} : { onText }) };
  return new Promise((resolve) => {
    const stop = (): void => resolve({ ok: false, failure: 'aborted', message: 'the deadline passed', usage: null });
    run.signal.addEventListener('abort', stop, { once: true });
    run.parts.engine
      .generate(request, run.signal)
      .catch((error: unknown): GenerateResult => {
        return { ok: false, failure: 'not-ollama', message: `the engine threw: ${String(error)}`, usage: null };
      })
      .then((result) => {
        run.signal.removeEventListener('abort', stop);
        resolve(result);
      });
  });
}

/** Prepares the next attempt, or says why there is none. */
async function afterFailure(
  run: Run,
  prompt: Prompt,
  attempt: Attempt,
  result: Extract<GenerateResult, { ok: false }>,
): Promise<FailureName | 'split' | undefined> {
  const { failure } = result;
  const failures = (attempt.failed.get(failure) ?? 0) + 1;
  attempt.failed.set(failure, failures);
  const consequence = CONSEQUENCES[failure];
  switch (consequence.next) {
    case 'give-up':
      return failure;
    case 'split':
      if (result.promptTokens !== undefined) learn(run, prompt.counts, result.promptTokens);
      return 'split';
    case 'wait': {
      const ms = backoff(failures, run.parts.random(), WAIT);
      if (failures >= consequence.tries || run.parts.now() + ms >= run.stopAt()) return failure;
      await run.parts.sleep(ms, run.signal);
      return undefined;
    }
    case 'reseed':
      attempt.seed = seedOf(run);
      return failures >= consequence.tries ? failure : undefined;
    case 'lengthen': {
      const room = run.model.contextTokens - estimate(prompt.counts, run.rates) - MARGIN;
      const longer = Math.min(attempt.numPredict * 2, room);
      if (failures >= consequence.tries || longer <= attempt.numPredict) return 'split';
      attempt.numPredict = longer;
      return undefined;
    }
  }
}
