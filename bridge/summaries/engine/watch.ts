import { EngineFailure } from './failure.ts';
import type { SetTimer } from './options.ts';

interface Deadlines {
  readonly firstTokenMs: number;
  readonly stallMs: number;
}

/** Ends an exchange when its caller leaves, or when nothing came for too long. Says why. */
export class Watch {
  /** Why the exchange was ended; null: it was not. */
  cause: EngineFailure | null = null;
  private readonly controller = new AbortController();
  private readonly outer: AbortSignal;
  private readonly setTimer: SetTimer;
  private readonly leave = () =>
    this.end(new EngineFailure('aborted', 'the deadline passed, or nobody waits any more'));
  private cancel: () => void = () => {};

  constructor(outer: AbortSignal, setTimer: SetTimer) {
    this.outer = outer;
    this.setTimer = setTimer;
    if (outer.aborted) this.leave();
    else outer.addEventListener('abort', this.leave, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The next sign of life is due within `ms`; replaces the deadline before. */
  expect(ms: number, failure: EngineFailure): void {
    this.cancel();
    this.cancel = this.setTimer(() => this.end(failure), ms);
  }

  expectFirst({ firstTokenMs }: Deadlines): void {
    this.expect(firstTokenMs, new EngineFailure('first-token-timeout', `no token within ${firstTokenMs} ms`));
  }

  expectNext({ stallMs }: Deadlines): void {
    this.expect(stallMs, new EngineFailure('stalled', `no token for ${stallMs} ms`));
  }

  /** Nothing is under way any more: whatever still is, is broken off, as only a closed connection stops the GPU. */
  close(): void {
    this.cancel();
    this.outer.removeEventListener('abort', this.leave);
    this.controller.abort();
  }

  private end(failure: EngineFailure): void {
    if (this.cause !== null || this.signal.aborted) return;
    this.cause = failure;
    this.cancel();
    this.controller.abort(failure);
  }
}
