export interface TurnsOptions {
  /** Who may wait; past it the next one is refused rather than remembered. */
  readonly waitingMax: number;
  /** How long anyone waits: past it nobody is there any more to whom the result matters. */
  readonly patienceMs: number;
}

interface Waiting {
  readonly since: number;
  start(): void;
  refuse(error: Error): void;
}

/** Lets one piece of work through at a time, in order of arrival: one connection, and a transaction must not be interleaved. */
export class Turns {
  readonly #options: TurnsOptions;
  #waiting: Waiting[] = [];
  #busy = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** @throws where too many wait, or the turn does not come in time. What has begun is never broken off. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const { waitingMax } = this.#options;
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new Error(`the embedded store has ${waitingMax} statements waiting: try again later`));
    }
    return this.#queue(work, performance.now());
  }

  /** Waits for as long as it takes; for the end. */
  last<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue(work, Number.POSITIVE_INFINITY);
  }

  #queue<T>(work: () => Promise<T>, since: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const start = () => {
        this.#busy = true;
        const done = work();
        done.then(resolve, reject);
        done
          .catch(() => {})
          .then(() => {
            this.#busy = false;
            this.#next();
          });
      };
      if (!this.#busy) return start();
      this.#waiting.push({ since, start, refuse: reject });
      this.#timer ??= setTimeout(() => this.#expire(), this.#options.patienceMs).unref();
    });
  }

  #next(): void {
    this.#expire();
    this.#waiting.shift()?.start();
  }

  /** All wait equally long, so the first one's time is over first. */
  #expire(): void {
    const { patienceMs } = this.#options;
    const now = performance.now();
    for (let first = this.#waiting[0]; first && now - first.since >= patienceMs; first = this.#waiting[0]) {
      this.#waiting.shift();
      first.refuse(
        new Error(`the embedded store did not come to a statement within ${patienceMs} ms: try again later`),
      );
    }
    if (this.#timer) clearTimeout(this.#timer);
    const [first] = this.#waiting;
    this.#timer = null;
    if (!first) return;
    this.#timer = setTimeout(() => this.#expire(), Math.min(patienceMs, first.since + patienceMs - now)).unref();
  }
}
