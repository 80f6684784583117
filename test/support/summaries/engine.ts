import type { Parts } from '../../../bridge/summaries/run.ts';
import type { Engine, GenerateRequest, GenerateResult } from '../../../bridge/summaries/types.ts';
import { seeded } from '../random.ts';
import { answerOf } from '../summary-answers.ts';

/** Tokens a character costs in the tokenizer behind {@link CountingEngine}: not what any estimator begins with. */
export interface TrueRates {
  readonly latin: number;
  readonly cyrillic: number;
  readonly han: number;
}
export const LLAMA_LIKE: TrueRates = { latin: 1 / 3.7, cyrillic: 0.42, han: 0.9 };

export const tokensOf = (text: string, rates: TrueRates): number => {
  const han = (text.match(/\p{sc=Han}/gu) ?? []).length;
  const cyrillic = (text.match(/\p{sc=Cyrillic}/gu) ?? []).length;
  return Math.ceil(han * rates.han + cyrillic * rates.cyrillic + ([...text].length - han - cyrillic) * rates.latin);
};

/** Of a chat template around two messages. */
const TEMPLATE_TOKENS = 22;

/** A model that counts what it is sent, refuses what exceeds its context, and answers by rule. */
export class CountingEngine implements Engine {
  readonly requests: { readonly promptTokens: number; readonly user: string; readonly notes: boolean }[] = [];
  readonly contextTokens: number;
  readonly rates: TrueRates;
  /** Of the answer's text; undefined: as told. */
  answer: (request: GenerateRequest) => string | undefined = () => undefined;
  exceeded = 0;

  constructor(contextTokens = 8192, rates = LLAMA_LIKE) {
    this.contextTokens = contextTokens;
    this.rates = rates;
  }

  async model(): ReturnType<Engine['model']> {
    return { ok: true, model: { name: 'counting', digest: 'sha256:counting', contextTokens: this.contextTokens } };
  }

  async generate(request: GenerateRequest): Promise<GenerateResult> {
    const promptTokens = TEMPLATE_TOKENS + tokensOf(request.system + request.user, this.rates);
    if (promptTokens + request.numPredict > this.contextTokens) {
      this.exceeded++;
      const { contextTokens } = this;
      return { ok: false, failure: 'context-exceeded', message: 'too long', usage: null, promptTokens, contextTokens };
    }
    const properties = request.schema.properties as Record<string, unknown>;
    this.requests.push({ promptTokens, user: request.user, notes: 'notes' in properties });
    // What has no spaces is quoted by the sentence.
    const messages = [{ role: 'user', content: request.user.replace(/。.+$/gm, '。') }];
    const text = this.answer(request) ?? answerOf({ messages, format: request.schema });
    const completionTokens = tokensOf(text, this.rates);
    return { ok: true, text, usage: { promptTokens, completionTokens, firstTokenMs: 5, durationMs: 20 } };
  }
}

/** Parts around an engine, with a clock that stands still. */
export function partsOf(engine: Engine, changes: Partial<Parts> = {}): Parts {
  return {
    engine,
    extract: (comments) => ({
      summary: comments[0]?.text ?? '',
      points: comments.slice(0, 1).map(({ id, text }) => ({ text, commentIds: [id] })),
    }),
    now: () => Date.UTC(2026, 5, 1),
    random: seeded(7),
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    ...changes,
  };
}
