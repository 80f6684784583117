import type { BridgeConfig } from '../config.ts';
import type { Metrics } from '../health/metrics.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { Reconciler, type RolloutView } from './reconciler.ts';
import { Watcher } from './watcher.ts';

export interface Rollouts {
  readonly watch: { readonly lastSignAt: number | null; readonly lastError: string | null };
  readonly views: () => RolloutView[];
  hint(): void;
  stop(): void;
}

export interface RolloutParts {
  readonly config: BridgeConfig;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly published: () => void;
}

const RELIST_MS = 180_000;

/** Watches the cluster where there is one; null where there is none. */
export async function startRollouts(parts: RolloutParts): Promise<Rollouts | null> {
  const { config, database, metrics, log, now, random } = parts;
  if (config.kubernetes === null) return null;
  // The client is by far the largest package: without a cluster its memory and start-up time are saved.
  const { connectCluster } = await import('./kubernetes.ts');
  const reconciler = new Reconciler(database, {
    publicHosts: config.publicHosts,
    now,
    random,
    decided: (view, changed) => {
      if (!changed) return;
      const level = view.decision === 'misconfigured' || view.decision === 'not-recorded' ? 'warn' : 'info';
      log[level](
        { deployment: view.deployment, decision: view.decision, reason: view.reason, images: view.images },
        'rollout',
      );
    },
    published: () => {
      metrics.published.inc();
      parts.published();
    },
    stumbled: (error) => {
      metrics.storeErrors.inc();
      log.error({ error: error.message }, 'a rollout could not be recorded; trying again');
    },
  });
  const watcher = new Watcher(connectCluster(config.kubernetes), {
    now,
    random,
    relistMs: RELIST_MS,
    listed: (deployments) => reconciler.observeAll(deployments),
    changed: (deployment) => reconciler.observe(deployment),
    failed: (what, reason) => log.warn({ what, reason }, 'the cluster could not be read; trying again'),
  });
  const startedAt = now();
  metrics.watchStaleness.set(0);
  const gauge = setInterval(() => {
    metrics.watchStaleness.set((now() - (watcher.lastSignAt ?? startedAt)) / 1000);
  }, 5000).unref();
  watcher.start();
  return {
    watch: watcher,
    views: () => reconciler.views,
    hint: () => watcher.hint(),
    stop: () => {
      clearInterval(gauge);
      watcher.stop();
      reconciler.stop();
    },
  };
}
