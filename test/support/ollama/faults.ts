/** Everything that goes wrong with an Ollama, or with what stands in front of it. */
export const FAULT_NAMES = [
  /** 404 to a chat. */
  'model-missing',
  /** 400 whatever the prompt's length. */
  'context-exceeded',
  /** 400: another client error. */
  'bad-format',
  /** 503 while the model loads. */
  'busy',
  /** 500 before the first token. */
  'crash',
  /** An error line within a 200. */
  'crash-mid-stream',
  /** The stream ends, properly, without a `done`. */
  'no-done',
  /** `done_reason: length`. */
  'length',
  /** More than 30 identical tokens, then a silent end (Ollama's own guard). */
  'repetition',
  /** Identical tokens without an end. */
  'endless-repetition',
  'reset-before-headers',
  'reset-mid-stream',
  /** Neither headers nor a token, for ever. */
  'header-silence',
  /** The first token comes `delayMs` late. */
  'slow-first-token',
  /** Tokens stop, the connection stays. */
  'stall-mid-stream',
  /** The model lies in main memory: 20 times slower, `size_vram: 0`. */
  'cpu',
  /** Another build of the model was pulled under its name. */
  'digest-change',
  /** An answer that is no JSON. */
  'garbage',
  /** Lines that are no JSON. */
  'garbage-lines',
  /** A proxy's login page, with 200, on every path. */
  'html-login',
  /** Different tokens without an end. */
  'endless',
] as const;

export type FaultName = (typeof FAULT_NAMES)[number];

export interface FaultOptions {
  /** Chats it hits; default: until cleared. */
  readonly times?: number;
  /** For `slow-first-token`. Default 60,000. */
  readonly delayMs?: number;
  /** Tokens before what happens mid-stream. Default 5. */
  readonly afterTokens?: number;
}

export interface Fault {
  readonly name: FaultName;
  readonly delayMs: number;
  readonly afterTokens: number;
}

/** States of the machine: they last until cleared, beside whatever else goes wrong. */
const STATES: ReadonlySet<FaultName> = new Set(['cpu', 'digest-change']);

/** What is wrong now, and for how many chats. The oldest fault comes first. */
export class Faults {
  private list: { fault: Fault; left: number }[] = [];

  add(
    name: FaultName,
    { times = Number.POSITIVE_INFINITY, delayMs = 60_000, afterTokens = 5 }: FaultOptions = {},
  ): void {
    this.list.push({ fault: { name, delayMs, afterTokens }, left: times });
  }

  clear(name?: FaultName): void {
    this.list = name === undefined ? [] : this.list.filter(({ fault }) => fault.name !== name);
  }

  has(name: FaultName): boolean {
    return this.list.some(({ fault }) => fault.name === name);
  }

  /** The fault that the next chat meets; counted down. */
  take(): Fault | null {
    const next = this.list.find(({ fault }) => !STATES.has(fault.name));
    if (next !== undefined) next.left -= 1;
    this.list = this.list.filter(({ left }) => left > 0);
    return next?.fault ?? null;
  }
}
