import type { BridgeConfig } from '../config.ts';
import type { Logger } from '../log.ts';
import { exchange } from './engine/exchange.ts';
import { BreakerEngine, type GuardOptions } from './engine/guarded.ts';
import { createOllamaEngine } from './engine/ollama.ts';
import { systemTimer } from './engine/options.ts';
import { extract } from './extractive/extract.ts';
import { make } from './make.ts';
import { extractiveSummary } from './maker.ts';
import { Foresight } from './opening.ts';
import type { Maker, ModelState } from './parts.ts';
import { PRIOR, type Rates } from './policy/estimator.ts';
import type { Parts } from './run.ts';
import { measured } from './telemetry/measured.ts';
import type { SummaryMetrics } from './telemetry/metrics.ts';

/** Planned and made by the model behind `engine`, as long as there is one. */
export function modelled(parts: Pick<Parts, 'engine' | 'extract' | 'now' | 'random' | 'sleep' | 'planned'>): Maker {
  const { engine, extract, now, random } = parts;
  const learnt = new Map<string, Rates>();
  const foresight = new Foresight();
  return {
    model: async (): Promise<ModelState> => {
      // Whoever asks does not wait for it longer than he can.
      const known = await engine.model(new AbortController().signal);
      return known.ok ? { kind: 'model', model: known.model } : { kind: 'failed', reason: known.failure };
    },
    foresee: (thread, options, model, isNew) =>
      foresight.foresee(thread, options, { model, rates: learnt.get(model.digest) ?? PRIOR, random }, isNew),
    key: (thread, options, model) => foresight.key(thread, options, model),
    make: (assignment, turn, signal, listen) =>
      make(assignment, { ...parts, ...turn, learnt, foresight }, signal, listen),
    extractive: (thread, options, reason) => extractiveSummary(extract, { thread, options, reason, now: now() }),
  };
}

export interface ModelParts {
  readonly config: BridgeConfig;
  readonly log: Logger;
  readonly now: () => number;
  readonly random: () => number;
}

/** The configured model behind the configured Ollama; nothing is asked of it yet. */
export function connectModel({ config, log, now, random }: ModelParts, counts: SummaryMetrics): Maker {
  const { model, contextTokens, allowCpu } = config.summaries;
  const host = config.ollamaHost ?? '';
  const ollama = createOllamaEngine({ host, model, contextTokens, fetch: exchange, now, setTimer: systemTimer });
  const changed: GuardOptions['changed'] = ({ kind }) => {
    counts.breaker(kind !== 'closed');
    log.warn({ breaker: kind, gpuShare: guarded.gpuShare }, 'the model is asked differently from now on');
  };
  const guarded = new BreakerEngine(ollama, { now, random, allowCpu, changed, looked: counts.gpu });
  const engine = measured(guarded, model, counts, now);
  return modelled({ engine, extract, now, random, sleep, planned: counts.planned });
}

/** Resolves after so long, or when `signal` aborts: without the error, and its stack, that `node:timers/promises` makes of that. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const over = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
