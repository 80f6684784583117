/** Calls `run` once after `ms`; the answer takes it back. */
export type SetTimer = (run: () => void, ms: number) => () => void;

export interface OllamaLimits {
  /** From the request to the first token: waiting, loading and reading the prompt are silent. Under 300 s, where Node's `fetch` gives up. */
  readonly firstTokenMs: number;
  /** Between two tokens. */
  readonly stallMs: number;
  /** Of a whole stream; a token takes about 120 bytes of it. */
  readonly maxStreamBytes: number;
  /** How long `model()` and `load()` wait for an answer. */
  readonly askMs: number;
  /** How long what `model()` found holds; then it is asked for anew, in the background at first. */
  readonly modelTtlMs: number;
  /** The same for what it did not find. */
  readonly missTtlMs: number;
}

export const OLLAMA_LIMITS: OllamaLimits = {
  firstTokenMs: 90_000,
  stallMs: 20_000,
  maxStreamBytes: 2 * 1024 * 1024,
  askMs: 2000,
  modelTtlMs: 30_000,
  missTtlMs: 2000,
};

export interface OllamaOptions {
  /** Origin, such as `http://ollama:11434`. */
  readonly host: string;
  readonly model: string;
  /** Tokens of prompt and answer together. Where the model was trained for fewer, those count. */
  readonly contextTokens: number;
  /** How long Ollama keeps the model in memory after an answer. Default 10m. */
  readonly keepAlive?: string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  readonly setTimer: SetTimer;
  readonly limits?: Partial<OllamaLimits>;
}

export const systemTimer: SetTimer = (run, ms) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};
