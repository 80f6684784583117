import { type ChatRequest, type ChatResponse, Ollama } from 'ollama';
import type { Engine, GenerateRequest, GenerateResult, ModelInfo, Usage } from '../types.ts';
import { ModelCache } from './cache.ts';
import { asFailure, EngineFailure } from './failure.ts';
import { InstalledModel, type ModelLoad, readLoad } from './model.ts';
import { OLLAMA_LIMITS, type OllamaLimits, type OllamaOptions } from './options.ts';
import { Repetition } from './repetition.ts';
import { transport } from './transport.ts';
import { Watch } from './watch.ts';

export interface OllamaEngine extends Engine {
  /** Where the model lies (`/api/ps`); null: it is not loaded, or nobody knows. Bounded, never throws. */
  load(signal: AbortSignal): Promise<ModelLoad | null>;
}

const MAX_ASKED_BYTES = 8 * 1024 * 1024;
const TEMPERATURE = 0.2;

/** The fields of a chat that the client's types do not know; it sends them as they are. */
type NativeChat = ChatRequest & { stream: true; truncate: false };

/**
 * The chat as Ollama is asked. `num_ctx` is the same for every request, as another one loads the model anew; `shift` is
 * left alone for the same reason. `truncate: false` turns the silent loss of half the prompt into a 400.
 */
function chatOf(request: GenerateRequest, model: ModelInfo, keepAlive: string): NativeChat {
  return {
    model: model.name,
    messages: [
      { role: 'system', content: request.system },
      { role: 'user', content: request.user },
    ],
    stream: true,
    format: request.schema,
    think: false,
    truncate: false,
    keep_alive: keepAlive,
    options: {
      num_ctx: model.contextTokens,
      num_predict: request.numPredict,
      seed: request.seed,
      temperature: TEMPERATURE,
    },
  };
}

/** What one stream has brought so far. */
interface Progress {
  text: string;
  tokens: number;
  firstAt: number | null;
  last: ChatResponse | null;
}

async function readStream(
  chunks: AsyncIterable<ChatResponse>,
  progress: Progress,
  at: { watch: Watch; limits: OllamaLimits; now: () => number; onText: (delta: string) => void },
): Promise<void> {
  const repetition = new Repetition();
  try {
    for await (const chunk of chunks) {
      const delta = typeof chunk.message?.content === 'string' ? chunk.message.content : '';
      if (chunk.done) progress.last = chunk;
      if (delta !== '') {
        progress.firstAt ??= at.now();
        progress.tokens += 1;
        progress.text += delta;
        at.watch.expectNext(at.limits);
        if (repetition.add(delta)) throw new EngineFailure('repetition', 'the same token more than 30 times');
        at.onText(delta);
      }
      if (at.watch.cause !== null) throw at.watch.cause;
    }
  } catch (error) {
    const failure = asFailure(error);
    if (failure.failure !== 'incomplete' || !repetition.endedByGuard) throw failure;
    throw new EngineFailure('repetition', 'ended after the same token over and over');
  }
}

/** Success is `done` with the reason `stop`, and nothing else. */
function verdict({ last }: Progress): void {
  const reason = last?.done_reason;
  if (reason === 'stop') return;
  if (reason === 'length') throw new EngineFailure('length', 'the answer did not end within its tokens');
  throw new EngineFailure('incomplete', `done for the reason ${JSON.stringify(String(reason).slice(0, 40))}`);
}

function usageOf({ last, tokens, firstAt }: Progress, startedAt: number, endedAt: number): Usage | null {
  if (last === null && firstAt === null) return null;
  return {
    promptTokens: last?.prompt_eval_count ?? 0,
    completionTokens: last?.eval_count ?? tokens,
    firstTokenMs: firstAt === null ? null : firstAt - startedAt,
    durationMs: endedAt - startedAt,
  };
}

/** An Ollama reached over HTTP (its native API; `docs/api.md` of ollama/ollama). A client, and a connection, for each request. */
export function createOllamaEngine(options: OllamaOptions): OllamaEngine {
  const { host, model: name, fetch, now, setTimer, keepAlive = '10m' } = options;
  const limits: OllamaLimits = { ...OLLAMA_LIMITS, ...options.limits };
  const client = (signal: AbortSignal, maxBytes: number) =>
    new Ollama({ host, fetch: transport({ fetch, signal, maxBytes }) });

  const ask = async <T>(outer: AbortSignal, question: (client: () => Ollama) => Promise<T>): Promise<T> => {
    const watch = new Watch(outer, setTimer);
    watch.expect(limits.askMs, 'unreachable', `no answer within ${limits.askMs} ms`);
    try {
      return await question(() => client(watch.signal, MAX_ASKED_BYTES));
    } catch (error) {
      throw watch.cause ?? error;
    } finally {
      watch.close();
    }
  };

  const installed = new InstalledModel(name, options.contextTokens);
  const never = new AbortController().signal;
  const models = new ModelCache(() => ask(never, (one) => installed.read(one)), { now, ...limits });

  const generate = async (request: GenerateRequest, signal: AbortSignal): Promise<GenerateResult> => {
    const startedAt = now();
    const known = await models.get(signal);
    if (!known.ok) return { ...known, usage: null };
    const watch = new Watch(signal, setTimer);
    const progress: Progress = { text: '', tokens: 0, firstAt: null, last: null };
    try {
      if (watch.cause !== null) throw watch.cause;
      watch.expectFirst(limits);
      const chat = chatOf(request, known.model, keepAlive);
      const chunks = await client(watch.signal, limits.maxStreamBytes).chat(chat);
      await readStream(chunks, progress, { watch, limits, now, onText: request.onText ?? (() => {}) });
      verdict(progress);
      const usage = usageOf(progress, startedAt, now());
      if (usage === null) throw new EngineFailure('incomplete', 'done without an answer');
      return { ok: true, text: progress.text, usage };
    } catch (error) {
      const { failure, message, counts } = watch.cause ?? asFailure(error);
      if (failure === 'model-missing') models.forget();
      return { ok: false, failure, message, usage: usageOf(progress, startedAt, now()), ...counts };
    } finally {
      watch.close();
    }
  };

  return {
    model: (signal) => models.get(signal),
    generate,
    load: (signal) => ask(signal, (one) => readLoad(one(), name)).catch(() => null),
  };
}
