import type { DependencyStatus, Ready, StatusReport, Version } from '../../shared/contract/status.ts';
import type { BridgeConfig } from '../config.ts';
import type { Dispatch } from '../purge/dispatch.ts';
import type { Rollouts } from '../rollouts/start.ts';
import type { Prober } from './prober.ts';

export interface ReporterParts {
  readonly config: BridgeConfig;
  readonly now: () => number;
  readonly startedAt: number;
  readonly state: { readonly stopping: boolean };
  readonly prober: Prober;
  readonly dispatch: Dispatch;
  readonly rollouts: Rollouts | null;
}

/** A queue this old means that readers see old pages: worth a person's attention. */
const OLD_SECONDS = 60;

/** Answers about health, from what is known: none of them asks anybody. */
export function createReporter(parts: ReporterParts) {
  const { config, now, startedAt, state, prober, dispatch, rollouts } = parts;
  const version: Version = { name: 'porchlight-bridge', ...config.version, node: process.version };
  return {
    version,
    uptimeSeconds: () => Math.round((now() - startedAt) / 1000),
    ready: (): Ready => {
      const store = prober.status('store');
      const checks = {
        accepting: state.stopping ? 'stopping' : 'ok',
        store: store?.state === 'up' ? 'ok' : (store?.detail ?? 'unknown'),
        outbox: dispatch.hasRoom ? 'ok' : 'full',
      };
      return { ready: Object.values(checks).every((check) => check === 'ok'), checks };
    },
    report: (): StatusReport => {
      const dependencies = prober.statuses;
      const outbox = [...dispatch.backlogs];
      return {
        now: new Date(now()).toISOString(),
        version: version.version,
        startedAt: new Date(startedAt).toISOString(),
        state: state.stopping ? 'stopping' : overall(dependencies, outbox, rollouts),
        dependencies,
        outbox,
        rollouts: (rollouts?.views() ?? []).map((view) => ({
          ...view,
          images: [...view.images],
          publishedAt: view.publishedAt?.toISOString() ?? null,
        })),
      };
    },
  };
}

function overall(
  dependencies: readonly DependencyStatus[],
  outbox: readonly { pending: number; oldestSeconds: number }[],
  rollouts: Rollouts | null,
): 'good' | 'degraded' {
  const down = dependencies.some((dependency) => dependency.state === 'down');
  const late = outbox.some((backlog) => backlog.pending > 0 && backlog.oldestSeconds > OLD_SECONDS);
  const wrong = rollouts?.views().some((view) => view.decision === 'misconfigured') ?? false;
  return down || late || wrong ? 'degraded' : 'good';
}
