import type { FailureName } from '../types.ts';
import { EngineFailure } from './failure.ts';
import type { SetTimer } from './options.ts';

/** Made once: an abort without a reason makes an error with a stack of its own. */
const CLOSED = new Error('the exchange is over');

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

  /** The next sign of life is due within `ms`; replaces the deadline before. An error is made only once it is needed: its stack costs. */
  expect(ms: number, name: FailureName, message: string): void {
    this.cancel();
    this.cancel = this.setTimer(() => this.end(new EngineFailure(name, message)), ms);
  }

  expectFirst({ firstTokenMs }: Deadlines): void {
    this.expect(firstTokenMs, 'first-token-timeout', `no token within ${firstTokenMs} ms`);
  }

  expectNext({ stallMs }: Deadlines): void {
    this.expect(stallMs, 'stalled', `no token for ${stallMs} ms`);
  }

  /** Nothing is under way any more: whatever still is, is broken off, as only a closed connection stops the GPU. */
  close(): void {
    this.cancel();
    this.outer.removeEventListener('abort', this.leave);
    this.controller.abort(CLOSED);
  }

  private end(failure: EngineFailure): void {
    if (this.cause !== null || this.signal.aborted) return;
    this.cause = failure;
    this.cancel();
    this.controller.abort(failure);
  }
}
