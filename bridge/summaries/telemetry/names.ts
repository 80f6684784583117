/**
 * Names of what is measured about summaries, in one place: those of OpenTelemetry's conventions for generative AI are still moving
 * (here as of semantic conventions 1.38, in the form Prometheus gives them), and dashboards and alerts are written against them.
 */
export const METRICS = {
  operationDuration: 'gen_ai_client_operation_duration_seconds',
  timeToFirstChunk: 'gen_ai_client_operation_time_to_first_chunk_seconds',
  tokenUsage: 'gen_ai_client_token_usage',
  tokensPerSecond: 'porchlight_summary_tokens_per_second',
  summaries: 'porchlight_summaries_total',
  answerDuration: 'porchlight_summary_duration_seconds',
  refusals: 'porchlight_summary_refusals_total',
  plans: 'porchlight_summary_plans_total',
  omitted: 'porchlight_summary_comments_omitted_total',
  queueDepth: 'porchlight_summary_queue_depth',
  queueWait: 'porchlight_summary_queue_wait_seconds',
  running: 'porchlight_summary_generations_running',
  gpuShare: 'porchlight_model_gpu_ratio',
  breakerOpen: 'porchlight_model_breaker_open',
} as const;

export const LABELS = {
  operation: 'gen_ai_operation_name',
  provider: 'gen_ai_provider_name',
  model: 'gen_ai_request_model',
  tokenType: 'gen_ai_token_type',
  errorType: 'error_type',
} as const;

export const OPERATION = 'chat';
export const PROVIDER = 'ollama';

/** What became of a request: `model` (made now), `reuse` (nothing to make), `stale` (the last good one), `extractive`. */
export type Outcome = 'model' | 'reuse' | 'stale' | 'extractive';
