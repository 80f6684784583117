import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../policy/backoff.ts';
import { type Decision, type Deployment, decideRollout } from '../policy/rollout.ts';
import { rolloutPurge } from '../policy/rollout-purge.ts';
import { type Database, isDataError } from '../store/database.ts';
import { fingerprint } from './fingerprint.ts';
import { deploymentKey, noteExposure, publish, readRollout } from './rollout-store.ts';

export interface RolloutView {
  readonly deployment: string;
  /** `misconfigured` waits for its author, `not-recorded` for the store. */
  readonly decision: Decision['action'] | 'misconfigured' | 'not-recorded';
  readonly reason: string;
  readonly images: readonly string[];
  readonly publishedAt: Date | null;
}

export interface ReconcilerOptions {
  readonly publicHosts: readonly string[];
  readonly now: () => number;
  readonly random: () => number;
  readonly decided: (view: RolloutView, changed: boolean) => void;
  readonly published: () => void;
  readonly stumbled: (error: Error) => void;
}

interface Observed {
  readonly deployment: Deployment;
  /** Failures to deal with it, and when to try again. */
  readonly failures: number;
  readonly notBefore: number;
}

const RETRY = { firstMs: 200, maxMs: 10_000 };

/** Brings the store, and through it the edge, in line with Deployments as they are observed. Seeing one twice changes nothing. */
export class Reconciler {
  readonly #database: Database;
  readonly #options: ReconcilerOptions;
  /** The newest observation of each Deployment not yet dealt with: bounded by the number of Deployments, not of events. */
  readonly #observed = new Map<string, Observed>();
  readonly #views = new Map<string, RolloutView>();
  #wake = () => {};
  #working = false;
  #stopped = false;

  constructor(database: Database, options: ReconcilerOptions) {
    this.#database = database;
    this.#options = options;
  }

  get views(): RolloutView[] {
    return [...this.#views.values()];
  }

  observe(deployment: Deployment): void {
    const key = deploymentKey(deployment);
    const waiting = this.#observed.get(key);
    // A list may be older than an event that overtook it.
    if (waiting?.deployment.uid === deployment.uid && waiting.deployment.generation > deployment.generation) return;
    this.#observed.set(key, { ...(waiting ?? { failures: 0, notBefore: 0 }), deployment });
    this.#wake();
    if (!this.#working && !this.#stopped) void this.#work();
  }

  /** A complete list: what is not in it is gone, and is no longer shown. */
  observeAll(deployments: readonly Deployment[]): void {
    const present = new Set(deployments.map(deploymentKey));
    for (const key of this.#views.keys()) if (!present.has(key)) this.#views.delete(key);
    for (const deployment of deployments) this.observe(deployment);
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  /** One after the other; one that fails waits by itself, and the next one's turn comes. */
  async #work(): Promise<void> {
    this.#working = true;
    while (!this.#stopped && this.#observed.size > 0) {
      const due = [...this.#observed].find(([, { notBefore }]) => notBefore <= this.#options.now());
      if (due) await this.#attempt(...due);
      else await this.#rest();
    }
    this.#working = false;
  }

  async #attempt(key: string, observed: Observed): Promise<void> {
    const { deployment } = observed;
    const isNewest = () => this.#observed.get(key)?.deployment === deployment;
    try {
      await this.#reconcile(key, deployment);
      if (isNewest()) this.#observed.delete(key);
    } catch (error) {
      const { message } = error as Error;
      const view = {
        deployment: key,
        images: deployment.images,
        publishedAt: this.#views.get(key)?.publishedAt ?? null,
      };
      if (isDataError(error)) {
        // Nobody else validates annotations and images; only an edit of them helps.
        if (isNewest()) this.#observed.delete(key);
        const reason = `annotations or images hold what the store cannot: ${message}`;
        return this.#show({ ...view, decision: 'misconfigured', reason });
      }
      const failures = observed.failures + 1;
      const notBefore = this.#options.now() + backoff(failures, this.#options.random(), RETRY);
      const newest = this.#observed.get(key)?.deployment ?? deployment;
      this.#observed.set(key, { deployment: newest, failures, notBefore });
      this.#show({ ...view, decision: 'not-recorded', reason: message });
      this.#options.stumbled(error as Error);
    }
  }

  /** Until the first is due again or something new was observed. */
  async #rest(): Promise<void> {
    const until = Math.min(...[...this.#observed.values()].map(({ notBefore }) => notBefore));
    const over = new AbortController();
    this.#wake = () => over.abort();
    const ms = Math.max(1, until - this.#options.now());
    await sleep(ms, undefined, { ref: false, signal: over.signal }).catch(() => {});
    this.#wake = () => {};
  }

  async #reconcile(key: string, deployment: Deployment): Promise<void> {
    const template = fingerprint(deployment.template);
    const before = await readRollout(this.#database, key);
    const decision = decideRollout(deployment, template, before);
    const view = { deployment: key, images: deployment.images, publishedAt: before?.publishedAt ?? null };
    if (decision.action === 'note-exposure') await noteExposure(this.#database, key, template);
    if (decision.action !== 'publish')
      return this.#show({ ...view, decision: decision.action, reason: decision.reason });
    const asked = rolloutPurge(deployment.annotations, this.#options.publicHosts);
    if (!asked.ok) return this.#show({ ...view, decision: 'misconfigured', reason: asked.problem });
    const serial = before?.serial ?? 0;
    const now = new Date(this.#options.now());
    const done = await publish(this.#database, {
      deployment,
      template,
      serial,
      now,
      purge: {
        id: `rollout-${fingerprint([key, deployment.uid, template, serial + 1])}`,
        caller: `rollout:${key}`,
        requestId: `rollout-${deployment.uid}-${deployment.generation}`,
        body: asked.purge,
      },
    });
    const warning = asked.ignoredWarm.length > 0 ? `; not warmed, foreign host: ${asked.ignoredWarm.join(' ')}` : '';
    this.#show({ ...view, decision: 'publish', reason: decision.reason + warning, publishedAt: now });
    if (done) this.#options.published();
  }

  #show(view: RolloutView): void {
    const before = this.#views.get(view.deployment);
    this.#views.set(view.deployment, view);
    this.#options.decided(view, before?.decision !== view.decision || before.reason !== view.reason);
  }
}
