import type { SummaryOptions } from '../../shared/contract/summary.ts';
import type { Foresight } from './opening.ts';
import type { Counts } from './policy/estimator.ts';
import { observe, type Rates } from './policy/estimator.ts';
import type { Plan } from './policy/plan.ts';
import type { Engine, Extract, Listen, ModelInfo, Usage } from './types.ts';

/** What making a summary needs from outside. */
export interface Parts {
  readonly engine: Engine;
  readonly extract: Extract;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Resolves after so long, or at once when `signal` aborts. Never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** When the answer must be there, in milliseconds since the epoch; may grow later. From the options where absent. */
  readonly deadlineAt?: () => number;
  /** Whether anybody listens to the text; somebody does where absent. */
  readonly isHeard?: () => boolean;
  /** Milliseconds the caller waited in the queue, for `timings`. */
  readonly queuedMs?: number;
  /** For the metrics. */
  readonly planned?: (plan: Pick<Plan, 'do' | 'reason'>) => void;
  /** How a summary begins, where that was worked out beforehand. */
  readonly foresight?: Pick<Foresight, 'open'>;
  /** Tokens per character by model digest, shared between threads; read and written. */
  readonly learnt?: Map<string, Rates>;
}

/** One making: what is asked, what was spent, what was learnt. */
export interface Run {
  readonly parts: Parts;
  readonly model: ModelInfo;
  readonly options: SummaryOptions;
  readonly signal: AbortSignal;
  /** When generating ends, so that there is time left for the fallback; may grow later. */
  readonly stopAt: () => number;
  readonly listen: Listen;
  rates: Rates;
  calls: number;
  promptTokens: number;
  completionTokens: number;
  firstTokenMs: number | null;
  generatedMs: number;
}

export function spend(run: Run, usage: Usage): void {
  run.calls++;
  run.promptTokens += usage.promptTokens;
  run.completionTokens += usage.completionTokens;
  run.firstTokenMs ??= usage.firstTokenMs;
  run.generatedMs += usage.durationMs;
}

export function learn(run: Run, counts: Counts, promptTokens: number): void {
  run.rates = observe(counts, promptTokens, run.rates);
  run.parts.learnt?.set(run.model.digest, run.rates);
}

/** Whether there is time for so many more generations as long as those so far. */
export function timeFor(run: Run, generations: number): boolean {
  const each = run.calls === 0 ? 0 : run.generatedMs / run.calls;
  return run.parts.now() + each * generations * 1.2 < run.stopAt();
}
