import { createApp } from './app.ts';
import type { BridgeConfig } from './config.ts';
import { createGate } from './gate.ts';
import { createMetrics } from './health/metrics.ts';
import { Prober } from './health/prober.ts';
import { cloudflareProbe, edgeProbe, fluxProbe, kubernetesProbe, ollamaProbe, storeProbe } from './health/probes.ts';
import { createReporter } from './health/report.ts';
import { mountHealthRoutes } from './health/routes.ts';
import { mountHookRoutes } from './hooks/routes.ts';
import { listen } from './http/listen.ts';
import type { Logger } from './log.ts';
import { Dispatch } from './purge/dispatch.ts';
import { Outbox } from './purge/outbox.ts';
import { mountPurgeRoutes } from './purge/routes.ts';
import { startRollouts } from './rollouts/start.ts';
import { openStore } from './store/open.ts';

/** What the outside world gives; handed in, so that tests can. */
export interface Capabilities {
  readonly now: () => number;
  readonly random: () => number;
  readonly newId: () => string;
  readonly fetch: typeof globalThis.fetch;
}

export interface Bridge {
  readonly port: number;
  /** Resolves when it cannot go on by itself; the program should end and be started again. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

const PROBE_MS = 10_000;

/** Opens the store, starts what works in the background, then takes requests. */
export async function startBridge(config: BridgeConfig, log: Logger, capabilities: Capabilities): Promise<Bridge> {
  const { now, random, newId, fetch } = capabilities;
  const startedAt = now();
  const metrics = createMetrics();
  const database = await openStore(config, (error) => log.warn({ error: error.message }, 'a store connection failed'));
  const dispatch = new Dispatch({ config, database, metrics, log, fetch, now, random });
  await dispatch.start();
  const rollouts = await startRollouts({
    config,
    database,
    metrics,
    log,
    now,
    random,
    published: () => dispatch.notify(),
  });
  const outbox = new Outbox(database, {
    now,
    hasRoom: () => dispatch.hasRoom,
    accepted: (count) => {
      metrics.accepted.inc(count);
      dispatch.notify();
    },
  });

  let flux: { at: number; reason: string; severity: string } | null = null;
  const probes = [
    storeProbe(database, database.kind),
    edgeProbe(config.edge?.url ?? null, fetch),
    kubernetesProbe(rollouts?.watch ?? null, now),
    fluxProbe(config.fluxHmacKey !== null, () => flux),
    cloudflareProbe(config.cloudflare !== null, () => dispatch.lastAttempt('cloudflare')),
    ollamaProbe(config.ollamaHost, fetch),
  ];
  const prober = new Prober(probes, now, (status) => {
    metrics.dependencyUp.set({ dependency: status.name }, status.state === 'up' ? 1 : 0);
    if (status.lastGoodAt)
      metrics.dependencyLastGood.set({ dependency: status.name }, Date.parse(status.lastGoodAt) / 1000);
  });
  void prober.start(PROBE_MS);

  const state = { stopping: false };
  const reporter = createReporter({ config, now, startedAt, state, prober, dispatch, rollouts });
  const gate = await createGate(config, now);
  const app = createApp({
    metrics,
    log,
    now,
    newId,
    mounts: [
      (to) =>
        mountPurgeRoutes(to, {
          gate,
          sql: database,
          outbox,
          targets: dispatch.targets,
          publicHosts: config.publicHosts,
          newId,
        }),
      (to) =>
        mountHookRoutes(to, {
          gate,
          fluxHmacKey: config.fluxHmacKey,
          reconcile: rollouts && (() => rollouts.hint()),
          heardFromFlux: (event) => {
            flux = { at: now(), ...event };
          },
          now,
        }),
      (to) => mountHealthRoutes(to, { gate, metrics, ...reporter }),
    ],
  });
  const server = await listen(app, config.host, config.port);
  log.info({ port: server.port, store: database.kind, targets: dispatch.targets }, 'the bridge listens');
  return {
    port: server.port,
    failed: database.lost,
    stop: async () => {
      state.stopping = true;
      const graceMs = config.graceSeconds * 1000;
      rollouts?.stop();
      prober.stop();
      await server.close(graceMs / 2);
      await dispatch.stop(graceMs / 4);
      await database.close();
    },
  };
}
