import type { ModelInfo } from '../types.ts';
import { asFailure, type EngineFailure } from './failure.ts';

export type ModelAnswer =
  | { readonly ok: true; readonly model: ModelInfo }
  | { readonly ok: false; readonly failure: EngineFailure['failure']; readonly message: string };

interface Times {
  readonly now: () => number;
  readonly modelTtlMs: number;
  readonly missTtlMs: number;
}

/** For so many lifetimes more an answer is given as it is, while it is asked for anew: nobody waits for what is hardly old. */
const GRACE = 4;

/**
 * One question at a time for whoever asks; its answer holds for a while, a failure for a shorter one. After that the
 * question is asked in the background.
 */
export class ModelCache {
  private readonly ask: () => Promise<ModelInfo>;
  private readonly times: Times;
  private held: { answer: ModelAnswer; until: number; graceUntil: number } | null = null;
  private asking: Promise<ModelAnswer> | null = null;

  constructor(ask: () => Promise<ModelInfo>, times: Times) {
    this.ask = ask;
    this.times = times;
  }

  forget(): void {
    this.held = null;
  }

  async get(signal: AbortSignal): Promise<ModelAnswer> {
    const { held } = this;
    const now = this.times.now();
    if (held !== null && now < held.until) return held.answer;
    this.asking ??= this.refresh().finally(() => {
      this.asking = null;
    });
    return held !== null && now < held.graceUntil ? held.answer : unlessAborted(this.asking, signal);
  }

  private async refresh(): Promise<ModelAnswer> {
    const { now, modelTtlMs, missTtlMs } = this.times;
    const answer = await this.ask().then(
      (model): ModelAnswer => ({ ok: true, model }),
      (error: unknown): ModelAnswer => {
        const { failure, message } = asFailure(error);
        return { ok: false, failure, message };
      },
    );
    const ttlMs = answer.ok ? modelTtlMs : missTtlMs;
    const until = now() + ttlMs;
    this.held = { answer, until, graceUntil: until + GRACE * ttlMs };
    return answer;
  }
}

/** The question goes on for the others who ask; this one is gone. */
function unlessAborted(answer: Promise<ModelAnswer>, signal: AbortSignal): Promise<ModelAnswer> {
  const gone: ModelAnswer = { ok: false, failure: 'aborted', message: 'nobody waits any more' };
  if (signal.aborted) return Promise.resolve(gone);
  return new Promise((resolve) => {
    const leave = () => resolve(gone);
    signal.addEventListener('abort', leave, { once: true });
    void answer.then((value) => {
      signal.removeEventListener('abort', leave);
      resolve(value);
    });
  });
}
