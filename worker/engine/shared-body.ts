/** Why a body ended badly. */
export type BodyFault = 'stalled' | 'broken' | 'abandoned' | 'short' | 'long';

export interface BufferBudget {
  used: number;
  readonly max: number;
}

export interface SharedBodyLimits {
  /** Up to here the whole body is kept for storing; beyond, it only streams through. Bytes. */
  readonly maxBytes: number;
  /** Bytes that all bodies in progress may hold together in this isolate; beyond, a body only streams through. */
  readonly budget: BufferBudget;
  /** How far ahead of its slowest reader a body that only streams through may be. Bytes. */
  readonly windowBytes: number;
  /** Longest silence of the origin, and of a reader once the body only streams through. */
  readonly idleMs: number;
  /** How long a fill may go on when nobody reads it any more. */
  readonly unreadMs: number;
}

/** Anything that waits inside another request's work keeps a timer of its own: without one the runtime calls it hung. */
const WAIT_MS = 1_000;

/**
 * One origin body for any number of readers. The pump belongs to the request that fetched it and goes on when that
 * reader leaves; every reader gets every byte, from the first, at its own speed.
 */
export class SharedBody {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  readonly #limits: SharedBodyLimits;
  readonly #clock: () => number;
  readonly #wake = new Set<() => void>();
  readonly #readers = new Set<{ at: number }>();
  #chunks: (Uint8Array | undefined)[] = [];
  #firstKept = 0;
  #bytes = 0;
  #held = 0;
  #done = false;
  #fault: BodyFault | undefined;
  #overflowed = false;
  /** When the pump last had something from the origin. */
  #movedAt: number;

  constructor(source: ReadableStream<Uint8Array>, limits: SharedBodyLimits, clock: () => number) {
    this.#source = source.getReader();
    this.#limits = limits;
    this.#clock = clock;
    this.#movedAt = clock();
  }

  /** May another reader still join? Not once the beginning is gone. */
  get joinable(): boolean {
    return !this.#overflowed && this.#fault === undefined && !this.isLost;
  }

  /** Did the request that pumps it end before the body did? Then nothing comes any more, and nobody says so. */
  get isLost(): boolean {
    const { idleMs } = this.#limits;
    return !this.#done && this.#fault === undefined && this.#clock() - this.#movedAt > 2 * idleMs + WAIT_MS;
  }

  /** Reads the origin to its end. Resolves with the whole body, or with why there is none to store. Never rejects. */
  async pump(expectedBytes: number | undefined): Promise<{ body: Uint8Array } | { fault: BodyFault | 'too-large' }> {
    try {
      return await this.#receive(expectedBytes);
    } finally {
      this.#limits.budget.used -= this.#held;
      this.#held = 0;
    }
  }

  #hold(bytes: number): boolean {
    const { budget, maxBytes } = this.#limits;
    if (this.#overflowed) return false;
    this.#held += bytes;
    budget.used += bytes;
    return this.#bytes <= maxBytes && budget.used <= budget.max;
  }

  async #receive(
    expectedBytes: number | undefined,
  ): Promise<{ body: Uint8Array } | { fault: BodyFault | 'too-large' }> {
    const started = this.#clock();
    for (;;) {
      const step = await this.#next();
      if (typeof step === 'string') return this.#fail(step);
      if (step === undefined) break;
      this.#movedAt = this.#clock();
      this.#chunks.push(step);
      this.#bytes += step.byteLength;
      if (!this.#hold(step.byteLength)) this.#overflowed = true;
      this.#notify();
      const unread = this.#readers.size === 0 && (this.#overflowed || this.#clock() - started > this.#limits.unreadMs);
      if (unread) return this.#fail('abandoned');
      if (this.#overflowed && !(await this.#drain())) return this.#fail('stalled');
    }
    if (expectedBytes !== undefined && this.#bytes !== expectedBytes)
      return this.#fail(this.#bytes < expectedBytes ? 'short' : 'long');
    this.#done = true;
    this.#notify();
    return this.#overflowed ? { fault: 'too-large' } : { body: this.#whole() };
  }

  /** A stream of the whole body for one reader. Errors when the body ends badly, so that nobody takes half for whole. */
  stream(): ReadableStream<Uint8Array> {
    const reader = { at: 0 };
    this.#readers.add(reader);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          while (reader.at >= this.#chunks.length && !this.#done && this.#fault === undefined && !this.isLost)
            await this.#changed(WAIT_MS);
          const chunk = this.#chunks[reader.at];
          if (chunk !== undefined) {
            reader.at += 1;
            this.#notify();
            controller.enqueue(chunk.slice());
            return;
          }
          this.#readers.delete(reader);
          this.#notify();
          if (this.#done && reader.at >= this.#chunks.length) controller.close();
          else controller.error(new Error(`The origin's response ended early (${this.#fault ?? 'reader too slow'}).`));
        },
        cancel: () => {
          this.#readers.delete(reader);
          this.#notify();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Resolves when every reader has taken its last byte, or after `ms`. */
  async drained(ms: number): Promise<void> {
    const deadline = this.#clock() + ms;
    while (this.#readers.size > 0 && this.#clock() < deadline) await this.#changed(ms);
  }

  async #next(): Promise<Uint8Array | undefined | BodyFault> {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const idle = new Promise<'stalled'>((resolve) => {
      timer = setTimeout(() => resolve('stalled'), this.#limits.idleMs);
    });
    try {
      const result = await Promise.race([this.#source.read(), idle]);
      if (result === 'stalled') return result;
      return result.done ? undefined : result.value;
    } catch {
      return 'broken';
    } finally {
      clearTimeout(timer);
    }
  }

  async #drain(): Promise<boolean> {
    const deadline = this.#clock() + this.#limits.idleMs;
    this.#release();
    while (this.#readers.size > 0 && this.#ahead() > this.#limits.windowBytes) {
      if (this.#clock() > deadline) return false;
      await this.#changed(WAIT_MS);
      this.#release();
    }
    return true;
  }

  #ahead(): number {
    let bytes = 0;
    for (let i = this.#firstKept; i < this.#chunks.length; i++) bytes += this.#chunks[i]?.byteLength ?? 0;
    return bytes;
  }

  #release(): void {
    const slowest = Math.min(...[...this.#readers].map(({ at }) => at), this.#chunks.length);
    for (; this.#firstKept < slowest; this.#firstKept++) this.#chunks[this.#firstKept] = undefined;
  }

  #fail(fault: BodyFault): { fault: BodyFault } {
    this.#fault = fault;
    this.#chunks = this.#overflowed ? [] : this.#chunks;
    this.#source.cancel(fault).catch(() => undefined);
    this.#notify();
    return { fault };
  }

  #notify(): void {
    for (const wake of [...this.#wake]) wake();
  }

  #changed(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake.add(done);
    });
  }

  #whole(): Uint8Array {
    const only = this.#chunks.length === 1 ? this.#chunks[0] : undefined;
    if (only !== undefined) return only;
    const body = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      if (chunk === undefined) continue;
      body.set(chunk, at);
      at += chunk.byteLength;
    }
    return body;
  }
}
