import type { SummaryEvents } from '../../../shared/contract/summary.ts';
import type { Task } from '../parts.ts';
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
  readonly #listeners = new Set<Listen>();
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
    return this.#listeners.size;
  }

  /** Who joins late hears where it stands, and the text so far. */
  join(listen: Listen, { priority, deadlineAt }: Pick<Task<T>, 'priority' | 'deadlineAt'>): () => void {
    const own: Listen = (event, data) => listen(event, data);
    this.#listeners.add(own);
    if (priority === 'interactive') this.priority = priority;
    this.deadlineAt = Math.max(this.deadlineAt, deadlineAt);
    if (this.#progress) own('progress', this.#progress);
    if (this.#text !== '') own('text', { delta: this.#text });
    return () => void this.#listeners.delete(own);
  }

  readonly emit: Listen = (event, data) => {
    if (event === 'progress') this.#progress = data as SummaryEvents['progress'];
    if (event === 'text') this.#text += (data as SummaryEvents['text']).delta;
    for (const listen of this.#listeners) listen(event, data);
  };

  /** Tells the place in the queue where it has changed; 1 is next. */
  standsAt(position: number): void {
    if (this.#progress?.position === position) return;
    this.emit('progress', { phase: 'queued', done: 0, total: 0, position });
  }

  async run(task: Task<T>): Promise<void> {
    this.state = 'running';
    try {
      this.#settle.resolve(await task.run(this.controller.signal, this.emit, () => this.deadlineAt));
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
