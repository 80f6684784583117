import { createApp } from './app.ts';
import type { BridgeConfig } from './config.ts';
import { createGate } from './gate.ts';
import { createMetrics, type Metrics } from './health/metrics.ts';
import { ollamaProbe } from './health/ollama-probe.ts';
import { Prober } from './health/prober.ts';
import { cloudflareProbe, edgeProbe, fluxProbe, kubernetesProbe, storeProbe } from './health/probes.ts';
import { createReporter } from './health/report.ts';
import { mountHealthRoutes } from './health/routes.ts';
import { mountHookRoutes } from './hooks/routes.ts';
import { listen } from './http/listen.ts';
import type { App } from './http/route.ts';
import type { Logger } from './log.ts';
import { Dispatch } from './purge/dispatch.ts';
import { Outbox } from './purge/outbox.ts';
import { mountPurgeRoutes } from './purge/routes.ts';
import { type Rollouts, startRollouts } from './rollouts/start.ts';
import type { Database } from './store/database.ts';
import { openStore } from './store/open.ts';
import { type Summaries, startSummaries } from './summaries/start.ts';

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

interface FluxEvent {
  readonly at: number;
  readonly reason: string;
  readonly severity: string;
}

/** Everything that works in the background. */
interface Works {
  readonly config: BridgeConfig;
  readonly log: Logger;
  readonly capabilities: Capabilities;
  readonly metrics: Metrics;
  readonly database: Database;
  readonly dispatch: Dispatch;
  readonly rollouts: Rollouts | null;
  readonly summaries: Summaries;
  readonly flux: { last: FluxEvent | null };
}

/** Opens the store, starts what works in the background, then takes requests. */
export async function startBridge(config: BridgeConfig, log: Logger, capabilities: Capabilities): Promise<Bridge> {
  const { now, random, newId, fetch } = capabilities;
  const state = { stopping: false };
  const startedAt = now();
  const metrics = createMetrics();
  const database = await openStore(config, (error) => log.warn({ error: error.message }, 'the store does not answer'));
  const dispatch = new Dispatch({ config, database, metrics, log, fetch, now, random });
  await dispatch.start();
  const published = () => dispatch.notify();
  const rollouts = await startRollouts({ config, database, metrics, log, now, random, published });
  const making = { config, database, metrics, log, now, random, newId, purged: published };
  const summaries = await startSummaries(making);
  const works: Works = {
    ...{ config, log, capabilities, metrics, database, dispatch, rollouts, summaries },
    flux: { last: null },
  };
  const prober = createProber(works);
  void prober.start(PROBE_MS);
  const reporter = createReporter({ config, now, startedAt, state, prober, dispatch, rollouts });
  const server = await listen(await createRoutes(works, reporter), config.host, config.port);
  log.info({ port: server.port, store: database.kind, targets: dispatch.targets }, 'the bridge listens');
  return {
    port: server.port,
    failed: database.lost,
    stop: async () => {
      state.stopping = true;
      const graceMs = config.graceSeconds * 1000;
      rollouts?.stop();
      prober.stop();
      await summaries.stop();
      await server.close(graceMs / 2);
      await dispatch.stop(graceMs / 4);
      await database.close();
    },
  };
}

function createProber(works: Works): Prober {
  const { config, capabilities, metrics, database, dispatch, rollouts, summaries, flux } = works;
  const { now, fetch } = capabilities;
  const probes = [
    storeProbe(database, database.kind),
    edgeProbe(config.edge?.url ?? null, fetch),
    kubernetesProbe(rollouts?.watch ?? null, now),
    fluxProbe(config.fluxHmacKey !== null, () => flux.last),
    cloudflareProbe(config.cloudflare !== null, () => dispatch.lastAttempt('cloudflare')),
    ollamaProbe({ host: config.ollamaHost, model: config.summaries.model, fetch, queue: () => summaries.queue() }),
  ];
  return new Prober(probes, now, ({ name: dependency, state, lastGoodAt }) => {
    metrics.dependencyUp.set({ dependency }, state === 'up' ? 1 : 0);
    if (lastGoodAt) metrics.dependencyLastGood.set({ dependency }, Date.parse(lastGoodAt) / 1000);
  });
}

/** A further concern brings its routes with a line under `mounts`. */
async function createRoutes(works: Works, reporter: ReturnType<typeof createReporter>): Promise<App> {
  const { config, log, capabilities, metrics, database, dispatch, rollouts, summaries, flux } = works;
  const { now, newId } = capabilities;
  const { publicHosts, fluxHmacKey } = config;
  const gate = await createGate(config, now);
  const accepted = (count: number) => {
    metrics.accepted.inc(count);
    dispatch.notify();
  };
  const outbox = new Outbox(database, { now, hasRoom: () => dispatch.hasRoom, accepted });
  const heardFromFlux = (event: Omit<FluxEvent, 'at'>, changed: string | null) => {
    flux.last = { at: now(), ...event };
    if (changed !== null) metrics.fluxChanges.inc({ name: changed });
  };
  const reconcile = rollouts && (() => rollouts.hint());
  return createApp({
    metrics,
    log,
    now,
    newId,
    mounts: [
      (app) => mountPurgeRoutes(app, { gate, sql: database, outbox, targets: dispatch.targets, publicHosts, newId }),
      (app) => summaries.mount(app, gate),
      (app) => mountHookRoutes(app, { gate, fluxHmacKey, reconcile, heardFromFlux, now }),
      (app) => mountHealthRoutes(app, { gate, metrics, ...reporter }),
    ],
  });
}
