import { setTimeout as sleep } from 'node:timers/promises';
import { backoff } from '../policy/backoff.ts';
import { type Decision, type Deployment, decideRollout } from '../policy/rollout.ts';
import { rolloutPurge } from '../policy/rollout-purge.ts';
import type { Database } from '../store/database.ts';
import { fingerprint } from './fingerprint.ts';
import { deploymentKey, noteExposure, publish, readRollout } from './rollout-store.ts';

export interface RolloutView {
  readonly deployment: string;
  readonly decision: Decision['action'] | 'misconfigured';
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

const RETRY = { firstMs: 200, maxMs: 10_000 };

/** Brings the store, and through it the edge, in line with Deployments as they are observed. Seeing one twice changes nothing. */
export class Reconciler {
  readonly #database: Database;
  readonly #options: ReconcilerOptions;
  /** The newest observation of each Deployment not yet dealt with: bounded by the number of Deployments, not of events. */
  readonly #observed = new Map<string, Deployment>();
  readonly #views = new Map<string, RolloutView>();
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
    if (waiting?.uid === deployment.uid && waiting.generation > deployment.generation) return;
    this.#observed.set(key, deployment);
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
  }

  async #work(): Promise<void> {
    this.#working = true;
    let failures = 0;
    while (!this.#stopped) {
      const [next] = this.#observed;
      if (!next) break;
      const [key, deployment] = next;
      try {
        await this.#reconcile(key, deployment);
        failures = 0;
        if (this.#observed.get(key) === deployment) this.#observed.delete(key);
      } catch (error) {
        this.#options.stumbled(error as Error);
        await sleep(backoff(++failures, this.#options.random(), RETRY), undefined, { ref: false });
      }
    }
    this.#working = false;
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
