import type {
  Comment,
  Summary,
  SummaryEvents,
  SummaryOptions,
  SummaryPoint,
  Thread,
} from '../../shared/contract/summary.ts';

/** What a model is asked for: one chat with a system and a user message, answered in JSON under a schema. */
export interface GenerateRequest {
  readonly system: string;
  readonly user: string;
  /** JSON schema of the answer (Ollama's `format`). */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Most tokens of the answer. */
  readonly numPredict: number;
  readonly seed: number;
  /** Sees the answer's raw JSON text grow. */
  readonly onText?: (delta: string) => void;
}

/** Every way a generation fails, by name; each from something Ollama or the network really does. */
export type FailureName =
  /** 404: the model is not there. */
  | 'model-missing'
  /** 400 `exceed_context_size_error`. */
  | 'context-exceeded'
  /** Another 4xx: the request is wrong. */
  | 'bad-request'
  /** 503 while the model loads. */
  | 'busy'
  /** 500, or an error line inside a 200. */
  | 'crashed'
  /** The stream ended without `done`. */
  | 'incomplete'
  /** `done_reason: length`. */
  | 'length'
  /** The same tokens over and over. */
  | 'repetition'
  /** No connection, or one that was reset. */
  | 'unreachable'
  /** An answer that no Ollama gives. */
  | 'not-ollama'
  /** No first token in time. */
  | 'first-token-timeout'
  /** Tokens stopped in the middle. */
  | 'stalled'
  /** The model lies in main memory instead of the GPU's: far too slow. */
  | 'on-cpu'
  /** Not asked: it failed lately, and is left alone for a while. */
  | 'breaker-open'
  /** The deadline passed, or nobody waits any more. */
  | 'aborted';

export interface Usage {
  /** As Ollama counts; 0 where a stream broke before it said so. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Milliseconds from the request to the first token. */
  readonly firstTokenMs: number | null;
  readonly durationMs: number;
}

export type GenerateResult =
  | { readonly ok: true; readonly text: string; readonly usage: Usage }
  | {
      readonly ok: false;
      readonly failure: FailureName;
      /** For the log and the operator; holds no comment text. */
      readonly message: string;
      /** What was spent all the same. */
      readonly usage: Usage | null;
      /** With `context-exceeded`, as Ollama counts. */
      readonly promptTokens?: number;
      readonly contextTokens?: number;
    };

export interface ModelInfo {
  readonly name: string;
  /** Of the model's content: another digest is another model. */
  readonly digest: string;
  /** Tokens of prompt and answer together, as asked for with every request. */
  readonly contextTokens: number;
}

/** A model that answers. Never throws: what goes wrong has a name. */
export interface Engine {
  /** The model as it is now, or why there is none. Cached; never waits for a generation. */
  model(
    signal: AbortSignal,
  ): Promise<{ ok: true; model: ModelInfo } | { ok: false; failure: FailureName; message: string }>;
  /** Aborting `signal` stops the GPU. */
  generate(request: GenerateRequest, signal: AbortSignal): Promise<GenerateResult>;
}

export type Priority = 'interactive' | 'background';

/** A listener of one caller: progress and text as they come. */
export type Listen = <Name extends keyof SummaryEvents>(event: Name, data: SummaryEvents[Name]) => void;

export type { Summary };

/** Sentences of the thread itself, where no model answers. Pure; every point cites the comment it was taken from. */
export type Extract = (
  comments: readonly Comment[],
  options: { readonly maxSentences: number; readonly locale?: string },
) => { readonly summary: string; readonly points: readonly SummaryPoint[] };

/** What is kept of a thread, so that the next summary pays for what is new. JSON; only the planner knows what is inside. */
export type ThreadRecord = Readonly<Record<string, unknown>> & { readonly version: number };

/** One thread to summarise, as the service hands it to the maker. */
export interface Assignment {
  readonly thread: Thread;
  readonly options: SummaryOptions;
  readonly record: ThreadRecord | null;
}

export interface Made {
  readonly summary: Summary;
  /** To be stored in place of the old one; null: nothing worth keeping. */
  readonly record: ThreadRecord | null;
}
