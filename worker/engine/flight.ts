import type { Candidate } from './locate.ts';
import type { Resolution } from './resolution.ts';

/** One resolution in progress in this isolate, and what it has found so far. */
export interface Flight {
  /** The best stored copy found on the way: what a reader out of patience gets. */
  candidate: Candidate | undefined;
  /** The ledger's number the fetch began with, once it has begun. */
  seq: number | undefined;
  readonly done: Promise<Resolution>;
}

/** What the work of a flight tells those who wait for it, on the way. */
export type FlightState = Pick<Flight, 'candidate' | 'seq'>;

/**
 * A page that is still being received, and will be fresh, keeps its flight: late readers join the body instead of
 * asking home again. One that is stale on arrival is only for those who asked before it came.
 */
function isShareable(resolution: Resolution): resolution is Extract<Resolution, { kind: 'stream' }> {
  if (resolution.kind !== 'stream') return false;
  const { lifetime, initialAge } = resolution.meta;
  return !lifetime.always && lifetime.fresh > initialAge;
}

/** Requests for the same page share one flight (single-flight within an isolate). */
export class Flights {
  readonly #running = new Map<string, Flight>();

  get size(): number {
    return this.#running.size;
  }

  has(key: string): boolean {
    return this.#running.has(key);
  }

  /** Lets go of a flight that will not land: the request it belonged to is gone. */
  drop(key: string, flight: Flight): void {
    if (this.#running.get(key) === flight) this.#running.delete(key);
  }

  /** The running flight, or a new one. The second value tells whether the caller started it. */
  join(key: string, start: (flight: FlightState) => Promise<Resolution>): [Flight, boolean] {
    const running = this.#running.get(key);
    if (running) return [running, false];
    const state: FlightState = { candidate: undefined, seq: undefined };
    const done = start(state);
    const landed = (): void => {
      if (this.#running.get(key) === flight) this.#running.delete(key);
    };
    done.then((resolution) => (isShareable(resolution) ? resolution.finished.then(landed, landed) : landed()), landed);
    const flight: Flight = Object.assign(state, { done });
    this.#running.set(key, flight);
    return [flight, true];
  }
}

/** The value, or undefined when the time is over first. The timer also keeps a wait on another request's work alive. */
export async function patience<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}
