import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import type { Summary } from '../../../shared/contract/summary.ts';
import type { Engine, GenerateRequest, GenerateResult } from '../types.ts';
import { measured } from './measured.ts';
import { createSummaryMetrics, outcomeOf } from './metrics.ts';

const summary = (rest: Partial<Summary>): Summary => ({
  threadId: 't',
  summary: 'One.',
  points: [],
  engine: 'model',
  promptVersion: '1',
  language: 'en',
  coverage: { comments: 3, covered: 2, omitted: 1 },
  stale: false,
  cached: false,
  tokens: { prompt: 10, completion: 5 },
  timings: { queuedMs: 0, firstTokenMs: 5, generatedMs: 10, totalMs: 20 },
  createdAt: '2026-11-21T00:00:00Z',
  ...rest,
});

test.each([
  [{}, 'model'],
  [{ cached: true }, 'reuse'],
  [{ cached: true, stale: true }, 'stale'],
  [{ engine: 'extractive', stale: true }, 'extractive'],
] as const)('%j is %s', (rest, expected) => {
  expect(outcomeOf(summary(rest))).toBe(expected);
});

test('the names that rules and dashboards ask for', async () => {
  const registry = new Registry();
  const reading = () => ({ waiting: { interactive: 2, background: 7 }, running: 1, meanMs: 1000 });
  const metrics = createSummaryMetrics(registry, reading);
  const usage = { promptTokens: 300, completionTokens: 40, firstTokenMs: 500, durationMs: 2500 };
  const results: GenerateResult[] = [
    { ok: true, text: '{}', usage },
    { ok: false, failure: 'crashed', message: 'the runner ended', usage: null },
  ];
  const engine: Engine = {
    model: async () => ({ ok: false, failure: 'unreachable', message: '' }),
    generate: async () => results.shift() as GenerateResult,
  };
  const counted = measured(engine, 'tiny', metrics, () => 0);
  for (let n = 0; n < 2; n += 1) await counted.generate({} as GenerateRequest, new AbortController().signal);
  metrics.answered(summary({}));
  metrics.answered(summary({ engine: 'extractive', reason: 'no-model' }));
  metrics.refused('full');
  metrics.began('interactive', 1500);
  expect(await registry.metrics()).not.toMatch(/^porchlight_model_gpu_ratio /m);
  metrics.gpu(0.5);
  metrics.breaker(true);
  metrics.planned({ do: 'extend', reason: 'new-comments' });
  const text = await registry.metrics();
  const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="ollama",gen_ai_request_model="tiny"';
  for (const line of [
    `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 300`,
    `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 40`,
    `gen_ai_client_operation_duration_seconds_count{${labels},error_type="crashed"} 1`,
    `gen_ai_client_operation_time_to_first_chunk_seconds_sum{${labels}} 0.5`,
    'porchlight_summaries_total{outcome="model",reason=""} 1',
    'porchlight_summaries_total{outcome="extractive",reason="no-model"} 1',
    'porchlight_summary_comments_omitted_total 2',
    'porchlight_summary_queue_depth{priority="interactive"} 2',
    'porchlight_summary_queue_depth{priority="background"} 7',
    'porchlight_summary_generations_running 1',
    'porchlight_summary_tokens_per_second{gen_ai_request_model="tiny"} 20',
    'porchlight_model_gpu_ratio 0.5',
    'porchlight_model_breaker_open 1',
    'porchlight_summary_plans_total{plan="extend",reason="new-comments"} 1',
  ]) {
    expect(text).toContain(line);
  }
});
