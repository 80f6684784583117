/** Generations that run at once; the others wait in the order they came. */
export class Slots {
  running = 0;
  private waiting: (() => void)[] = [];
  private readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  get queued(): number {
    return this.waiting.length;
  }

  /** True with a slot; false if `signal` was aborted before there was one. */
  async enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.running < this.count) {
      this.running += 1;
      return true;
    }
    return new Promise((resolve) => {
      const leave = () => {
        this.waiting = this.waiting.filter((one) => one !== enter);
        resolve(false);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(enter);
    });
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.running -= 1;
    else next();
  }
}

/** Keeps a pace however coarse the timers are, and lets the server see who has left. */
export class Pace {
  private due = performance.now();
  private steps = 0;

  /** Waits until `ms` more have passed since the steps before. Ends early with `signal`. */
  async step(ms: number, signal: AbortSignal): Promise<void> {
    this.due += ms;
    this.steps += 1;
    const wait = this.due - performance.now();
    if (wait >= 1) return sleep(wait, signal);
    if (ms === 0) this.due = performance.now();
    if (this.steps % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Never rejects; `Infinity` waits for the signal. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}
