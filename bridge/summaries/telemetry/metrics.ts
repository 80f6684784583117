import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Summary } from '../../../shared/contract/summary.ts';
import type { Plan } from '../policy/plan.ts';
import type { QueueReading } from '../queue/queue.ts';
import type { GenerateResult, Priority, Usage } from '../types.ts';
import { LABELS, METRICS, OPERATION, type Outcome, PROVIDER } from './names.ts';

const SECONDS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320];
/** Powers of four, as the convention asks for token counts. */
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536];

export interface SummaryMetrics {
  answered(summary: Summary): void;
  refused(reason: string): void;
  began(priority: Priority, waitedMs: number): void;
  generated(model: string, result: GenerateResult, durationMs: number): void;
  /** What the planner decided, and why. */
  planned(plan: Pick<Plan, 'do' | 'reason'>): void;
  /** Share of the model in the GPU's memory when it was looked at, 0 to 1. */
  gpu(share: number): void;
  /** Whether the model is left alone for a while, as it failed. */
  breaker(open: boolean): void;
}

export function outcomeOf(summary: Pick<Summary, 'engine' | 'stale' | 'cached'>): Outcome {
  if (summary.engine === 'extractive') return 'extractive';
  if (summary.stale) return 'stale';
  return summary.cached ? 'reuse' : 'model';
}

/** @param reading asked whenever the metrics are read. */
export function createSummaryMetrics(registry: Registry, reading: () => QueueReading): SummaryMetrics {
  const registers = [registry];
  const model = modelMetrics(registers);
  queueGauges(registers, reading);
  const summaries = new Counter({
    name: METRICS.summaries,
    help: 'Answers by what they are.',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const seconds = new Histogram({
    name: METRICS.answerDuration,
    help: 'Time from the request to its answer.',
    labelNames: ['outcome'],
    buckets: SECONDS,
    registers,
  });
  const omitted = new Counter({ name: METRICS.omitted, help: 'Comments that answers were made without.', registers });
  const refusals = new Counter({
    name: METRICS.refusals,
    help: 'Requests that found no room.',
    labelNames: ['reason'],
    registers,
  });
  const plans = new Counter({
    name: METRICS.plans,
    help: 'Summaries planned: reuse, extend or rebuild, and why.',
    labelNames: ['plan', 'reason'],
    registers,
  });
  const wait = new Histogram({
    name: METRICS.queueWait,
    help: 'Time a generation waited for its turn.',
    labelNames: ['priority'],
    buckets: SECONDS,
    registers,
  });
  return {
    answered: (summary) => {
      const outcome = outcomeOf(summary);
      summaries.inc({ outcome, reason: summary.reason ?? '' });
      seconds.observe({ outcome }, summary.timings.totalMs / 1000);
      omitted.inc(summary.coverage.omitted);
    },
    refused: (reason) => refusals.inc({ reason }),
    planned: ({ do: plan, reason }) => plans.inc({ plan, reason }),
    began: (priority, waitedMs) => wait.observe({ priority }, waitedMs / 1000),
    ...model,
    ...placeGauges(registers),
  };
}

function modelMetrics(registers: Registry[]): Pick<SummaryMetrics, 'generated'> {
  const common = [LABELS.operation, LABELS.provider, LABELS.model] as const;
  const duration = new Histogram({
    name: METRICS.operationDuration,
    help: 'Time a generation took.',
    labelNames: [...common, LABELS.errorType],
    buckets: SECONDS,
    registers,
  });
  const first = new Histogram({
    name: METRICS.timeToFirstChunk,
    help: 'Time until the first token.',
    labelNames: common,
    buckets: SECONDS,
    registers,
  });
  const tokens = new Histogram({
    name: METRICS.tokenUsage,
    help: 'Tokens read and written.',
    labelNames: [...common, LABELS.tokenType],
    buckets: TOKENS,
    registers,
  });
  const pace = new Gauge({
    name: METRICS.tokensPerSecond,
    help: 'Tokens written per second by the latest generation.',
    labelNames: [LABELS.model],
    registers,
  });
  const spent = (labels: Record<(typeof common)[number], string>, usage: Usage) => {
    tokens.observe({ ...labels, [LABELS.tokenType]: 'input' }, usage.promptTokens);
    tokens.observe({ ...labels, [LABELS.tokenType]: 'output' }, usage.completionTokens);
    if (usage.firstTokenMs === null) return;
    first.observe(labels, usage.firstTokenMs / 1000);
    const writingMs = usage.durationMs - usage.firstTokenMs;
    if (writingMs > 0) pace.set({ [LABELS.model]: labels[LABELS.model] }, (usage.completionTokens * 1000) / writingMs);
  };
  return {
    generated: (name, result, durationMs) => {
      const labels = { [LABELS.operation]: OPERATION, [LABELS.provider]: PROVIDER, [LABELS.model]: name };
      const failed = result.ok ? {} : { [LABELS.errorType]: result.failure };
      duration.observe({ ...labels, ...failed }, durationMs / 1000);
      if (result.usage) spent(labels, result.usage);
    },
  };
}

function placeGauges(registers: Registry[]): Pick<SummaryMetrics, 'gpu' | 'breaker'> {
  const share = new Gauge({
    name: METRICS.gpuShare,
    help: "Share of the model in the GPU's memory, as of the latest generation; 0 is the CPU.",
    registers,
  });
  // A gauge begins at 0, which would say that the CPU does the work.
  share.remove();
  const breaker = new Gauge({
    name: METRICS.breakerOpen,
    help: '1 while the model is left alone, as it failed.',
    registers,
  });
  return { gpu: (value) => share.set(value), breaker: (open) => breaker.set(open ? 1 : 0) };
}

function queueGauges(registers: Registry[], reading: () => QueueReading): void {
  const depth: Gauge<'priority'> = new Gauge({
    name: METRICS.queueDepth,
    help: 'Generations that wait for their turn.',
    labelNames: ['priority'],
    registers,
    collect: () => {
      for (const [priority, count] of Object.entries(reading().waiting)) depth.set({ priority }, count);
    },
  });
  const running: Gauge = new Gauge({
    name: METRICS.running,
    help: 'Generations under way.',
    registers,
    collect: () => running.set(reading().running),
  });
}
