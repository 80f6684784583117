import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { STAGES } from '../hooks/changes.ts';

export type Metrics = ReturnType<typeof createMetrics>;

/** Everything the bridge counts, by the names dashboards and alerts use. Labels come from fixed lists, never from a request. */
export function createMetrics() {
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'bridge' });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const fluxChanges = counter('porchlight_flux_changes_total', 'Times Flux said that it changed objects of a stage.', [
    'name',
  ]);
  // From the start at 0: what appears at 1 has increased by nothing.
  for (const name of STAGES) fluxChanges.inc({ name }, 0);
  return {
    registry,
    requests: counter('http_requests_total', 'Requests answered.', ['method', 'route', 'status']),
    requestSeconds: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the request to the end of its answer.',
      labelNames: ['method', 'route', 'status'] as const,
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    accepted: counter('porchlight_purges_accepted_total', 'Purges made durable.'),
    pending: gauge('porchlight_outbox_pending', 'Purges a target has not had yet.', ['target']),
    oldest: gauge('porchlight_outbox_oldest_seconds', 'Age of the oldest purge a target has not had yet.', ['target']),
    attempts: counter('porchlight_delivery_attempts_total', 'Calls to targets.', ['target', 'outcome']),
    attemptSeconds: new Histogram({
      name: 'porchlight_delivery_duration_seconds',
      help: 'Time a call to a target took.',
      labelNames: ['target'] as const,
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    delivered: counter('porchlight_purges_delivered_total', 'Purges a target has had.', ['target']),
    rejected: counter('porchlight_purges_rejected_total', 'Purges a target refused for good.', ['target']),
    watchStaleness: gauge('porchlight_rollout_watch_staleness_seconds', 'Time since the cluster was last heard of.'),
    published: counter('porchlight_rollouts_published_total', 'Rollouts that led to a purge.'),
    dependencyUp: gauge('porchlight_dependency_up', '1 where the last probe was good.', ['dependency']),
    dependencyLastGood: gauge('porchlight_dependency_last_good_timestamp_seconds', 'Time of the last good probe.', [
      'dependency',
    ]),
    storeErrors: counter('porchlight_store_errors_total', 'Times the store could not be used.'),
    fluxChanges,
  };
}
