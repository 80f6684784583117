import type { FailureName } from '../types.ts';

interface Counts {
  readonly promptTokens?: number;
  readonly contextTokens?: number;
}

/** A generation or a question that went wrong, by name. The message holds no text of a comment. */
export class EngineFailure extends Error {
  readonly failure: FailureName;
  readonly counts: Counts;

  constructor(failure: FailureName, message: string, counts: Counts = {}) {
    super(message.slice(0, 300));
    this.name = 'EngineFailure';
    this.failure = failure;
    this.counts = counts;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => value !== null && typeof value === 'object';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What the model's runner said: Ollama hands it on as JSON inside the `error` string. */
function runnerError(error: string): Record<string, unknown> | null {
  const inner = error.startsWith('{') ? parsed(error) : null;
  return isRecord(inner) && isRecord(inner.error) ? inner.error : null;
}

const count = (value: unknown): number | null => (typeof value === 'number' && value >= 0 ? value : null);

function contextExceeded(runner: Record<string, unknown>): EngineFailure {
  const promptTokens = count(runner.n_prompt_tokens);
  const contextTokens = count(runner.n_ctx);
  return new EngineFailure('context-exceeded', String(runner.message ?? 'the prompt exceeds the context'), {
    ...(promptTokens === null ? {} : { promptTokens }),
    ...(contextTokens === null ? {} : { contextTokens }),
  });
}

/** The name of a status. Only Ollama says `{"error": "..."}`; anything else is a proxy, or another server. */
function named(status: number, error: string | null): FailureName {
  if (error === null) return [502, 503, 504].includes(status) ? 'unreachable' : 'not-ollama';
  if (status === 404) return 'model-missing';
  if (status === 503) return 'busy';
  return status >= 500 ? 'crashed' : 'bad-request';
}

/** Reads an answer that is not 2xx, or an error line within a 200 (as status 500). */
export function failureOf(status: number, body: string): EngineFailure {
  const answer = parsed(body);
  const error = isRecord(answer) && typeof answer.error === 'string' ? answer.error : null;
  const runner = error === null ? null : runnerError(error);
  if (runner?.type === 'exceed_context_size_error') return contextExceeded(runner);
  const said = typeof runner?.message === 'string' ? runner.message : error;
  return new EngineFailure(named(status, error), `status ${status}: ${said ?? 'no answer of an Ollama'}`);
}

/** Whatever was thrown, by name: what `fetch` and the stream throw is the network's doing. */
export function asFailure(error: unknown): EngineFailure {
  if (error instanceof EngineFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('Did not receive done'))
    return new EngineFailure('incomplete', 'the stream ended without done');
  if (error instanceof SyntaxError) return new EngineFailure('not-ollama', 'the answer is no JSON');
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return new EngineFailure('unreachable', `${message}${cause}`);
}
