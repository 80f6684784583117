import { selecting } from '../lookup.ts';
import {
  at,
  type Cluster,
  complain,
  kindOf,
  labelsMatch,
  list,
  map,
  nameOf,
  namespaceOf,
  objectRule,
  type Placed,
  type Rule,
  text,
} from '../manifest.ts';
import { containers, podTemplate } from '../pods.ts';
import { scheduleProblem } from './cron.ts';

const SERVING = ['Deployment', 'StatefulSet'];

const scalerOf = (placed: Placed, cluster: Cluster): Placed | undefined =>
  cluster.objects.find(
    (other) =>
      kindOf(other) === 'HorizontalPodAutoscaler' &&
      namespaceOf(other) === namespaceOf(placed) &&
      at(other.object, 'spec.scaleTargetRef.kind') === kindOf(placed) &&
      at(other.object, 'spec.scaleTargetRef.name') === nameOf(placed),
  );

const replicasOf = (placed: Placed, cluster: Cluster): number =>
  Number(at(scalerOf(placed, cluster)?.object, 'spec.minReplicas') ?? at(placed.object, 'spec.replicas') ?? 1);

/** Rolling, scaling and probing without a reader noticing. */
export const workloadRules: readonly Rule[] = [
  objectRule('readiness', 'Traffic only to what can answer', SERVING, (placed) => {
    const pod = podTemplate(placed);
    if (pod === undefined) return [];
    return containers(pod)
      .filter(({ spec, init }) => !init && list(spec.ports).length > 0 && spec.readinessProbe === undefined)
      .map(({ path }) => complain(placed, `${path}.readinessProbe`, 'has ports but nothing says when it is ready'));
  }),
  objectRule(
    'liveness-differs',
    'A liveness probe equal to readiness restarts what is merely busy',
    [...SERVING, 'DaemonSet'],
    (placed) => {
      const pod = podTemplate(placed);
      if (pod === undefined) return [];
      const action = (probe: ReturnType<typeof map>) =>
        JSON.stringify([probe.httpGet, probe.tcpSocket, probe.exec, probe.periodSeconds, probe.failureThreshold]);
      return containers(pod)
        .filter(
          ({ spec }) =>
            spec.livenessProbe !== undefined && action(map(spec.livenessProbe)) === action(map(spec.readinessProbe)),
        )
        .map(({ path }) =>
          complain(placed, `${path}.livenessProbe`, 'is the readiness probe again; make it slower and simpler'),
        );
    },
  ),
  objectRule(
    'no-static-replicas',
    'Two owners of one field: each apply undoes the autoscaler',
    SERVING,
    (placed, cluster) =>
      scalerOf(placed, cluster) !== undefined && at(placed.object, 'spec.replicas') !== undefined
        ? [complain(placed, 'spec.replicas', 'is owned by the autoscaler; remove it')]
        : [],
  ),
  objectRule('hpa-bounds', 'An autoscaler that cannot move is a mistake', ['HorizontalPodAutoscaler'], (placed) =>
    Number(at(placed.object, 'spec.minReplicas') ?? 1) >= Number(at(placed.object, 'spec.maxReplicas'))
      ? [complain(placed, 'spec.maxReplicas', 'is not above minReplicas')]
      : [],
  ),
  objectRule('disruption-budget', 'A drain must not take all copies at once', SERVING, (placed, cluster) => {
    const covered = selecting(placed, cluster, 'PodDisruptionBudget').length > 0;
    return replicasOf(placed, cluster) > 1 && !covered
      ? [complain(placed, 'spec.template.metadata.labels', 'runs several copies without a PodDisruptionBudget')]
      : [];
  }),
  objectRule(
    'disruption-allowed',
    'A budget that allows nothing blocks every upgrade',
    ['PodDisruptionBudget'],
    (placed, cluster) => {
      const selector = map(at(placed.object, 'spec.selector.matchLabels'));
      const target = cluster.objects.find(
        (other) =>
          SERVING.includes(kindOf(other)) &&
          namespaceOf(other) === namespaceOf(placed) &&
          labelsMatch(selector, podTemplate(other)?.labels ?? {}),
      );
      const least = Number(at(placed.object, 'spec.minAvailable') ?? 0);
      return target !== undefined && least >= replicasOf(target, cluster)
        ? [
            complain(
              placed,
              'spec.minAvailable',
              `is ${least}, and there are only ${replicasOf(target, cluster)} copies at least`,
            ),
          ]
        : [];
    },
  ),
  objectRule('zero-downtime', 'The old pod leaves when the new one answers', ['Deployment'], (placed, cluster) =>
    replicasOf(placed, cluster) > 1 && at(placed.object, 'spec.strategy.rollingUpdate.maxUnavailable') !== 0
      ? [complain(placed, 'spec.strategy.rollingUpdate.maxUnavailable', 'set it to 0')]
      : [],
  ),
  objectRule('single-writer', 'A claim that one pod may mount cannot be rolled', ['Deployment'], (placed) => {
    const pod = podTemplate(placed);
    const claims = list(pod?.spec.volumes).filter((volume) => map(volume).persistentVolumeClaim !== undefined);
    const writes = containers(pod ?? { path: '', spec: {}, labels: {}, annotations: {} }).some(({ spec }) =>
      list(spec.volumeMounts).some(
        (mount) => claims.some((claim) => map(claim).name === map(mount).name) && map(mount).readOnly !== true,
      ),
    );
    return writes && at(placed.object, 'spec.strategy.type') !== 'Recreate'
      ? [
          complain(
            placed,
            'spec.strategy.type',
            'writes to a ReadWriteOnce claim: two pods at once would both; set Recreate',
          ),
        ]
      : [];
  }),
  objectRule('job-bounded', 'Every wait has a deadline', ['Job', 'CronJob'], (placed) => {
    const prefix = kindOf(placed) === 'Job' ? 'spec' : 'spec.jobTemplate.spec';
    return at(placed.object, `${prefix}.activeDeadlineSeconds`) === undefined
      ? [complain(placed, `${prefix}.activeDeadlineSeconds`, 'set the longest time it may take')]
      : [];
  }),
  objectRule('no-overlap', 'Two dumps at once are two half dumps', ['CronJob'], (placed) =>
    at(placed.object, 'spec.concurrencyPolicy') === 'Forbid'
      ? []
      : [complain(placed, 'spec.concurrencyPolicy', 'set it to Forbid')],
  ),
  objectRule('cron-schedule', 'A schedule that never comes is a backup that never was', ['CronJob'], (placed) => {
    const schedule = text(at(placed.object, 'spec.schedule'));
    const problem = scheduleProblem(schedule);
    return problem === undefined ? [] : [complain(placed, 'spec.schedule', `"${schedule}" ${problem}`)];
  }),
  objectRule(
    'graceful-stop',
    'What serves readers leaves the Service before it stops',
    ['Deployment'],
    (placed, cluster) => {
      const pod = podTemplate(placed);
      if (pod === undefined || scalerOf(placed, cluster) === undefined) return [];
      return containers(pod)
        .filter(({ spec, init }) => !init && at(spec, 'lifecycle.preStop') === undefined)
        .map(({ path }) =>
          complain(placed, `${path}.lifecycle.preStop`, 'sleep a few seconds, so that routes forget it first'),
        );
    },
  ),
];
