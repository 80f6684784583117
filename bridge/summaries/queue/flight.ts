import type { SummaryEvents } from '../../../shared/contract/summary.ts';
import { DEAF, type Task } from '../parts.ts';
import type { Listen, Priority } from '../types.ts';

/** One generation and everyone who waits for it. */
export class Flight<T> {
  readonly seq: number;
  readonly caller: string;
  readonly since: number;
  readonly result: Promise<T>;
  readonly controller = new AbortController();
  priority: Priority;
  /** The latest of all who joined. */
  deadlineAt = Number.NEGATIVE_INFINITY;
  state: 'waiting' | 'running' | 'ended' = 'waiting';
  readonly #waiting = new Set<{ readonly listen: Listen }>();
  readonly #settle: { resolve(value: T): void; reject(error: unknown): void };
  #progress: SummaryEvents['progress'] | null = null;
  #text = '';

  constructor(task: Task<T>, seq: number, since: number) {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Everyone may have left by the time it fails.
    promise.catch(() => {});
    this.result = promise;
    this.#settle = { resolve, reject };
    this.seq = seq;
    this.caller = task.caller;
    this.priority = task.priority;
    this.since = since;
  }

  get waiters(): number {
    return this.#waiting.size;
  }

  /** Who joins late hears where it stands, and the text so far. */
  join(listen: Listen, { priority, deadlineAt }: Pick<Task<T>, 'priority' | 'deadlineAt'>): () => void {
    const own = { listen };
    this.#waiting.add(own);
    if (priority === 'interactive') this.priority = priority;
    this.deadlineAt = Math.max(this.deadlineAt, deadlineAt);
    if (this.#progress) listen('progress', this.#progress);
    if (this.#text !== '') listen('text', { delta: this.#text });
    return () => void this.#waiting.delete(own);
  }

  readonly emit: Listen = (event, data) => {
    if (event === 'progress') this.#progress = data as SummaryEvents['progress'];
    if (event === 'text') this.#text += (data as SummaryEvents['text']).delta;
    for (const { listen } of this.#waiting) listen(event, data);
  };

  /** Tells the place in the queue where it has changed; 1 is next. */
  standsAt(position: number): void {
    if (this.#progress?.position === position) return;
    this.emit('progress', { phase: 'queued', done: 0, total: 0, position });
  }

  async run(task: Task<T>): Promise<void> {
    this.state = 'running';
    try {
      const isHeard = () => [...this.#waiting].some(({ listen }) => listen !== DEAF);
      const waiters = { deadlineAt: () => this.deadlineAt, isHeard };
      this.#settle.resolve(await task.run(this.controller.signal, this.emit, waiters));
    } catch (error) {
      this.#settle.reject(error);
    } finally {
      this.state = 'ended';
    }
  }

  abandon(error: Error): void {
    if (this.state === 'waiting') this.state = 'ended';
    this.controller.abort(error);
    this.#settle.reject(error);
  }
}
