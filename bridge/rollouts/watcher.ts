import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../policy/backoff.ts';
import type { Deployment } from '../policy/rollout.ts';
import type { Cluster } from './kubernetes.ts';

export interface WatcherOptions {
  readonly now: () => number;
  readonly random: () => number;
  /** Milliseconds between complete looks, whatever the watch says. */
  readonly relistMs: number;
  readonly listed: (deployments: readonly Deployment[]) => void;
  readonly changed: (deployment: Deployment) => void;
  readonly failed: (what: 'list' | 'watch', reason: string) => void;
}

const RETRY = { firstMs: 500, maxMs: 30_000 };
/** A watch that ends sooner without having said anything is a failure: going on at once would hammer the API server. */
const TOO_SHORT_MS = 1000;

/**
 * Keeps looking at the cluster: a list, then a watch from there; again from where it was when it ends, from a new list when its position
 * is gone. Beside it a complete list now and then and on every hint, so that nothing depends on the watch being alive.
 */
export class Watcher {
  readonly #cluster: Cluster;
  readonly #options: WatcherOptions;
  readonly #stopping = new AbortController();
  #hint = () => {};
  #hinted = false;
  #lastSign: number | null = null;
  #lastError: string | null = null;

  constructor(cluster: Cluster, options: WatcherOptions) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Milliseconds since the epoch of the last list, event or bookmark. */
  get lastSignAt(): number | null {
    return this.#lastSign;
  }

  get lastError(): string | null {
    return this.#lastError;
  }

  start(): void {
    void this.#follow();
    void this.#relist();
  }

  /** Somebody says that something changed: look now. */
  hint(): void {
    this.#hinted = true;
    this.#hint();
  }

  stop(): void {
    this.#stopping.abort();
    this.#hint();
  }

  async #follow(): Promise<void> {
    let position = '';
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      try {
        if (position === '') position = await this.#list();
      } catch (error) {
        this.#fail('list', reasonOf(error));
        await this.#rest(++failures);
        continue;
      }
      const startedAt = this.#options.now();
      let heard = false;
      const end = await this.#cluster.watch(
        position,
        {
          deployment: (deployment) => this.#options.changed(deployment),
          position: (resourceVersion) => {
            position = resourceVersion;
            heard = true;
            this.#sign();
          },
        },
        this.#stopping.signal,
      );
      if (this.#stopping.signal.aborted) return;
      if (end.kind !== 'closed') position = '';
      if (heard) failures = 0;
      const hasty = !heard && this.#options.now() - startedAt < TOO_SHORT_MS;
      if (end.kind === 'failed') this.#fail('watch', end.reason);
      if (end.kind === 'failed' || hasty) await this.#rest(++failures);
    }
  }

  async #relist(): Promise<void> {
    let failures = 0;
    while (!this.#stopping.signal.aborted) {
      await this.#untilHint(failures > 0 ? backoff(failures, this.#options.random(), RETRY) : this.#options.relistMs);
      if (this.#stopping.signal.aborted) return;
      this.#hinted = false;
      try {
        await this.#list();
        failures = 0;
      } catch (error) {
        failures++;
        this.#fail('list', reasonOf(error));
      }
    }
  }

  async #list(): Promise<string> {
    const { deployments, resourceVersion } = await this.#cluster.list();
    this.#sign();
    if (!this.#stopping.signal.aborted) this.#options.listed(deployments);
    return resourceVersion;
  }

  #sign(): void {
    this.#lastSign = this.#options.now();
    this.#lastError = null;
  }

  #fail(what: 'list' | 'watch', reason: string): void {
    this.#lastError = `${what}: ${reason}`;
    this.#options.failed(what, reason);
  }

  async #rest(failures: number): Promise<void> {
    const ms = backoff(failures, this.#options.random(), RETRY);
    await sleep(ms, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
  }

  async #untilHint(ms: number): Promise<void> {
    if (this.#hinted) return;
    const over = new AbortController();
    this.#hint = () => over.abort();
    await sleep(ms, undefined, { signal: over.signal, ref: false }).catch(() => {});
    this.#hint = () => {};
  }
}

/** Of the client's errors only the code: their messages carry headers and bodies. */
function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'number') return `status ${code}`;
  if (typeof code === 'string') return code;
  const cause = (error as { cause?: { code?: unknown } }).cause?.code;
  return typeof cause === 'string' ? cause : (String(message).split('\n')[0]?.slice(0, 120) ?? 'failed');
}
