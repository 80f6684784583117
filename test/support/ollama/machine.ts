import { type Answer, defaultAnswer } from './answer.ts';
import type { ChatRequest } from './chat-request.ts';
import { Faults } from './faults.ts';
import { type Loaded, psEntry, SMALL_MODEL, type TestModel, tagged } from './model.ts';
import { Slots } from './slots.ts';

export interface TestOllamaOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly models?: readonly TestModel[];
  /** Generations at once (`OLLAMA_NUM_PARALLEL`). Default 1. */
  readonly slots?: number;
  readonly msPerPromptToken?: number;
  readonly msPerAnswerToken?: number;
  /** What loading takes, at the first chat and with every other `num_ctx`. */
  readonly loadMs?: number;
  /** `num_ctx` where a request names none. Default 4096. */
  readonly defaultContext?: number;
  readonly answer?: Answer;
  readonly version?: string;
}

const newCounts = () => ({
  /** Generations that got as far as the model. */
  started: 0,
  finished: 0,
  /** The client left, and the generation was stopped. */
  cancelled: 0,
  /** A fault ended it. */
  broken: 0,
  /** The client left before its turn came. */
  leftQueue: 0,
  /** Times the model was loaded; another `num_ctx` loads it again. */
  loads: 0,
  promptTokens: 0,
  completionTokens: 0,
  maxPromptTokens: 0,
  maxNumCtx: 0,
  minNumCtx: Number.POSITIVE_INFINITY,
});

export type Counts = ReturnType<typeof newCounts>;

/** The GPU, the models on it, and what is wrong with them. */
export class Machine {
  readonly faults = new Faults();
  readonly slots: Slots;
  readonly loadMs: number;
  /** Requests by path. */
  readonly requests: Record<string, number> = {};
  counts = newCounts();
  answer: Answer;
  private readonly options: TestOllamaOptions;
  private models: TestModel[];
  private readonly loaded = new Map<string, { numCtx: number; expiresAt: Date }>();

  constructor(options: TestOllamaOptions) {
    this.options = options;
    this.slots = new Slots(options.slots ?? 1);
    this.loadMs = options.loadMs ?? 0;
    this.answer = options.answer ?? defaultAnswer;
    this.models = [...(options.models ?? [SMALL_MODEL])];
  }

  resetCounts(): void {
    this.counts = newCounts();
  }

  get installed(): readonly TestModel[] {
    if (!this.faults.has('digest-change')) return this.models;
    return this.models.map((model) => ({ ...model, digest: model.digest.split('').reverse().join('') }));
  }

  find(name: string): TestModel | undefined {
    return this.installed.find((model) => tagged(model.name) === tagged(name));
  }

  install(model: TestModel): void {
    this.remove(model.name);
    this.models.push(model);
  }

  remove(name: string): void {
    this.models = this.models.filter((model) => tagged(model.name) !== tagged(name));
  }

  speed(): { promptMs: number; answerMs: number } {
    const factor = this.faults.has('cpu') ? 20 : 1;
    const { msPerPromptToken = 0, msPerAnswerToken = 0 } = this.options;
    return { promptMs: msPerPromptToken * factor, answerMs: msPerAnswerToken * factor };
  }

  /** The context never exceeds what the model was trained for. */
  load(model: TestModel, request: ChatRequest): { numCtx: number; loaded: boolean } {
    const numCtx = Math.min(request.numCtx ?? this.options.defaultContext ?? 4096, model.contextLength);
    const name = tagged(model.name);
    const loaded = this.loaded.get(name)?.numCtx !== numCtx;
    if (loaded) this.counts.loads += 1;
    this.loaded.set(name, { numCtx, expiresAt: new Date(Date.now() + 300_000) });
    return { numCtx, loaded };
  }

  unload(model: TestModel): void {
    this.loaded.delete(tagged(model.name));
  }

  ps(): Record<string, unknown>[] {
    const gpuShare = this.faults.has('cpu') ? 0 : 1;
    return this.installed.flatMap((model) => {
      const loaded = this.loaded.get(tagged(model.name));
      const state: Loaded | undefined = loaded && { ...loaded, gpuShare };
      return state === undefined ? [] : [psEntry(model, state)];
    });
  }

  get version(): string {
    return this.options.version ?? '0.33.0-rc2';
  }
}
