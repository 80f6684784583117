import { setTimeout as wait } from 'node:timers/promises';
import type { BridgeConfig } from '../config.ts';
import type { Logger } from '../log.ts';
import { BreakerEngine, type GuardOptions } from './engine/guarded.ts';
import { createOllamaEngine } from './engine/ollama.ts';
import { systemTimer } from './engine/options.ts';
import { extract } from './extractive/extract.ts';
import { make } from './make.ts';
import { extractiveSummary } from './maker.ts';
import type { Maker, ModelState } from './parts.ts';
import { summaryKey } from './policy/canonical.ts';
import type { Rates } from './policy/estimator.ts';
import type { Parts } from './run.ts';
import { measured } from './telemetry/measured.ts';
import type { SummaryMetrics } from './telemetry/metrics.ts';

/** Longest a request waits to hear which model there is; what is known is mostly known already. */
const MODEL_MS = 2000;

/** Planned and made by the model behind `engine`, as long as there is one. */
export function modelled(parts: Pick<Parts, 'engine' | 'extract' | 'now' | 'random' | 'sleep' | 'planned'>): Maker {
  const { engine, extract, now } = parts;
  const learnt = new Map<string, Rates>();
  return {
    model: async (): Promise<ModelState> => {
      const known = await engine.model(AbortSignal.timeout(MODEL_MS));
      return known.ok ? { kind: 'model', model: known.model } : { kind: 'failed', reason: known.failure };
    },
    key: summaryKey,
    make: (assignment, turn, signal, listen) => make(assignment, { ...parts, ...turn, learnt }, signal, listen),
    extractive: (thread, options, reason) => extractiveSummary(extract, { thread, options, reason, now: now() }),
  };
}

export interface ModelParts {
  readonly config: BridgeConfig;
  readonly log: Logger;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly random: () => number;
}

/** The configured model behind the configured Ollama; nothing is asked of it yet. */
export function connectModel({ config, log, fetch, now, random }: ModelParts, counts: SummaryMetrics): Maker {
  const { model, contextTokens, allowCpu } = config.summaries;
  const host = config.ollamaHost ?? '';
  const ollama = createOllamaEngine({ host, model, contextTokens, fetch, now, setTimer: systemTimer });
  const changed: GuardOptions['changed'] = ({ kind }) => {
    counts.breaker(kind !== 'closed');
    log.warn({ breaker: kind, gpuShare: guarded.gpuShare }, 'the model is asked differently from now on');
  };
  const guarded = new BreakerEngine(ollama, { now, random, allowCpu, changed, looked: counts.gpu });
  const engine = measured(guarded, model, counts, now);
  return modelled({ engine, extract, now, random, sleep, planned: counts.planned });
}

/** Resolves after so long, or when `signal` aborts. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> => wait(ms, undefined, { signal }).catch(() => {});
