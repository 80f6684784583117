import type { DependencyStatus } from '../../shared/contract/status.ts';

export type ProbeResult =
  | {
      readonly state: 'up' | 'unknown';
      readonly detail: string;
      readonly facts?: Record<string, unknown>;
      readonly lastGoodAt?: Date;
    }
  | {
      readonly state: 'down' | 'absent';
      readonly detail: string;
      readonly facts?: Record<string, unknown>;
      readonly lastGoodAt?: Date;
    };

/** Not configured; `detail` says which setting brings it in. */
export const absent = (detail: string): ProbeResult => ({ state: 'absent', detail });

export interface Probe {
  readonly name: string;
  /** Rejects or says so where the dependency is not well; is given up at the deadline. */
  check(signal: AbortSignal): Promise<ProbeResult> | ProbeResult;
}

const DEADLINE_MS = 3000;
const SOON_MS = 1500;

/**
 * Asks every dependency in the background and remembers the answers, so that a question about health never waits for a dependency:
 * each probe runs alone, one at a time, and what is asked for is what is known.
 */
export class Prober {
  readonly #probes: readonly Probe[];
  readonly #now: () => number;
  readonly #probed: (status: DependencyStatus) => void;
  readonly #known = new Map<string, DependencyStatus>();
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  constructor(probes: readonly Probe[], now: () => number, probed: (status: DependencyStatus) => void) {
    this.#probes = probes;
    this.#now = now;
    this.#probed = probed;
    for (const { name } of probes) this.#known.set(name, { ...unasked, name });
  }

  /** Now, soon again for what is only just starting, and then every `everyMs`. */
  async start(everyMs: number): Promise<void> {
    this.#timer = setInterval(() => void this.round(), everyMs);
    this.#timer.unref();
    setTimeout(() => void this.round(), SOON_MS).unref();
    await this.round();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  get statuses(): DependencyStatus[] {
    return [...this.#known.values()];
  }

  status(name: string): DependencyStatus | undefined {
    return this.#known.get(name);
  }

  async round(): Promise<void> {
    await Promise.all(this.#probes.map((probe) => this.#probe(probe)));
  }

  async #probe(probe: Probe): Promise<void> {
    if (this.#running.has(probe.name)) return;
    this.#running.add(probe.name);
    const startedAt = this.#now();
    const result = await ask(probe);
    this.#running.delete(probe.name);
    const now = this.#now();
    const before = this.#known.get(probe.name);
    const good = result.lastGoodAt?.toISOString() ?? (result.state === 'up' ? new Date(now).toISOString() : null);
    const status: DependencyStatus = {
      name: probe.name,
      state: result.state,
      detail: result.detail,
      lastGoodAt: good ?? before?.lastGoodAt ?? null,
      checkedAt: new Date(now).toISOString(),
      latencyMs: Math.max(0, now - startedAt),
      ...(result.facts ? { facts: result.facts } : {}),
    };
    this.#known.set(probe.name, status);
    this.#probed(status);
  }
}

const unasked = {
  name: '',
  state: 'unknown',
  detail: 'not asked yet',
  lastGoodAt: null,
  checkedAt: null,
  latencyMs: null,
} as const;

async function ask(probe: Probe): Promise<ProbeResult> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const late = new Promise<ProbeResult>((resolve) => {
    signal.addEventListener('abort', () =>
      resolve({ state: 'down', detail: `no answer within ${DEADLINE_MS / 1000} s` }),
    );
  });
  try {
    return await Promise.race([probe.check(signal), late]);
  } catch (error) {
    return { state: 'down', detail: error instanceof Error ? error.message.slice(0, 200) : 'failed' };
  }
}
