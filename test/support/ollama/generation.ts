import type { ServerResponse } from 'node:http';
import type { ChatRequest } from './chat-request.ts';
import type { Fault } from './faults.ts';
import { Pace, sleep } from './slots.ts';
import { endStream, sendJson, timestamp, writeLine } from './wire.ts';

/** Milliseconds per token; 0 is as fast as it goes. */
export interface Speed {
  readonly promptMs: number;
  readonly answerMs: number;
  readonly loadMs: number;
}

export interface Generation {
  readonly request: ChatRequest;
  readonly res: ServerResponse;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
  readonly fault: Fault | null;
  readonly speed: Speed;
  readonly promptTokens: number;
  readonly numCtx: number;
  /** The answer, token by token. */
  readonly tokens: readonly string[];
  readonly startedAt: number;
}

/** How it went: `broken` is a fault's doing. */
export interface Outcome {
  readonly kind: 'finished' | 'cancelled' | 'broken';
  readonly completionTokens: number;
}

const nanoseconds = (ms: number): number => Math.max(1, Math.round(ms * 1e6));

function* supply({ tokens, fault }: Generation): Generator<string> {
  if (fault?.name === 'endless-repetition') while (true) yield ' the';
  if (fault?.name === 'repetition') for (let i = 0; i < 40; i += 1) yield ' the';
  else if (fault?.name === 'endless') for (let i = 0; ; i += 1) yield ` w${i}`;
  else if (fault?.name === 'garbage') yield* ['Sure', '!', ' Here', ' is', ' your', ' summary', ':', ' {"', 'sum'];
  else yield* tokens;
}

interface Writer {
  readonly done: (reason: string, evalCount: number) => void;
  readonly token: (content: string) => void;
}

function writer(generation: Generation, times: { loaded: number; prompted: number }): Writer {
  const { request, res, startedAt, promptTokens } = generation;
  let whole = '';
  const message = (content: string) => ({
    model: request.model,
    created_at: timestamp(),
    message: { role: 'assistant', content },
  });
  return {
    token: (content) => {
      if (request.stream) writeLine(res, { ...message(content), done: false });
      else whole += content;
    },
    done: (reason, evalCount) => {
      const now = performance.now();
      const last = {
        ...message(whole),
        done: true,
        done_reason: reason,
        total_duration: nanoseconds(now - startedAt),
        load_duration: nanoseconds(times.loaded - startedAt),
        prompt_eval_count: promptTokens,
        prompt_eval_duration: nanoseconds(times.prompted - times.loaded),
        eval_count: evalCount,
        eval_duration: nanoseconds(now - times.prompted),
      };
      if (!request.stream) return sendJson(res, 200, last);
      writeLine(res, last);
      res.end();
    },
  };
}

/** What a fault does to a stream that is under way; null: it goes on. */
async function interrupt({ fault, res, signal }: Generation): Promise<'broken' | 'cancelled' | null> {
  switch (fault?.name) {
    case 'crash-mid-stream':
      writeLine(res, { error: 'an error was encountered while running the model: unexpected EOF' });
      endStream(res);
      return 'broken';
    case 'no-done':
      endStream(res);
      return 'broken';
    case 'reset-mid-stream':
      // What was written has to reach the client first.
      await sleep(20, signal);
      res.socket?.resetAndDestroy();
      return 'broken';
    case 'stall-mid-stream':
      await sleep(Number.POSITIVE_INFINITY, signal);
      return 'cancelled';
    case 'garbage-lines':
      writeLine(res, 'upstream connect error or disconnect/reset before headers');
      endStream(res);
      return 'broken';
    default:
      return null;
  }
}

/** Writes the answer at the model's pace and stops when the client has left, as Ollama does. */
export async function generate(generation: Generation): Promise<Outcome> {
  const { request, res, signal, fault, speed, promptTokens, numCtx } = generation;
  const pace = new Pace();
  await pace.step(speed.loadMs, signal);
  const times = { loaded: performance.now(), prompted: 0 };
  await pace.step(promptTokens * speed.promptMs, signal);
  if (fault?.name === 'slow-first-token') await sleep(fault.delayMs, signal);
  if (fault?.name === 'header-silence') await sleep(Number.POSITIVE_INFINITY, signal);
  times.prompted = performance.now();
  const write = writer(generation, times);
  let count = 0;
  for (const token of supply(generation)) {
    if (signal.aborted) return { kind: 'cancelled', completionTokens: count };
    if (count === fault?.afterTokens) {
      const broken = await interrupt(generation);
      if (broken !== null) return { kind: broken, completionTokens: count };
    }
    const room = promptTokens + count < numCtx && (request.numPredict < 0 || count < request.numPredict);
    const limited = !room || (fault?.name === 'length' && count >= fault.afterTokens);
    if (limited && !fault?.name.startsWith('endless')) {
      write.done('length', count);
      return { kind: 'finished', completionTokens: count };
    }
    count += 1;
    await pace.step(speed.answerMs, signal);
    write.token(token);
    if (res.writableNeedDrain) await drained(res, signal);
  }
  if (signal.aborted) return { kind: 'cancelled', completionTokens: count };
  const broken = fault?.name === 'repetition' ? 'broken' : await interrupt(generation);
  if (broken !== null) {
    endStream(res);
    return { kind: broken, completionTokens: count };
  }
  write.done('stop', count);
  return { kind: 'finished', completionTokens: count };
}

function drained(res: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const go = () => {
      res.off('drain', go);
      signal.removeEventListener('abort', go);
      resolve();
    };
    res.once('drain', go);
    signal.addEventListener('abort', go, { once: true });
  });
}
