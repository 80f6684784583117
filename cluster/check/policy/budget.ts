import { charts, machines } from '../data.ts';
import {
  at,
  type Cluster,
  complain,
  type Finding,
  isMap,
  type Json,
  type JsonMap,
  kindOf,
  list,
  map,
  nameOf,
  namespaceOf,
  type Placed,
  type Rule,
  text,
} from '../manifest.ts';
import { containers, podTemplate, WORKLOADS } from '../pods.ts';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
};

/** A Kubernetes quantity in bytes, or in cores for CPU; NaN where it is not one. */
export function quantity(value: Json | undefined): number {
  const match = /^(\d+(?:\.\d+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text(value));
  if (match === null) return value === undefined ? 0 : Number.NaN;
  return match[2] === 'm' ? Number(match[1]) / 1000 : Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN);
}

export interface Demand {
  readonly cpu: number;
  readonly memory: number;
  readonly gpuMemory: number;
  readonly storage: number;
}

const NOTHING: Demand = { cpu: 0, memory: 0, gpuMemory: 0, storage: 0 };
const add = (one: Demand, other: Demand): Demand => ({
  cpu: one.cpu + other.cpu,
  memory: one.memory + other.memory,
  gpuMemory: one.gpuMemory + other.gpuMemory,
  storage: one.storage + other.storage,
});

/** Every `resources.requests` and persistent size inside a chart's values, times the `replicas` beside it. */
function chartDemand(values: JsonMap): Demand {
  return Object.entries(values).reduce((sum, [key, value]) => {
    if (list(charts['not-containers']).includes(key))
      return add(sum, { ...NOTHING, storage: quantity(at(value, 'spec.resources.requests.storage')) });
    if (key === 'persistence' && isMap(value)) return add(sum, { ...NOTHING, storage: quantity(value.size) });
    if (!isMap(value)) return sum;
    if (key !== 'resources') return add(sum, chartDemand(value));
    const copies = Number(values.replicas ?? values.replicaCount ?? 1);
    return add(sum, {
      ...NOTHING,
      cpu: copies * quantity(at(value, 'requests.cpu')),
      memory: copies * quantity(at(value, 'requests.memory')),
    });
  }, NOTHING);
}

function podDemand(placed: Placed, cluster: Cluster): Demand {
  const pod = podTemplate(placed);
  if (pod === undefined) return NOTHING;
  const scaler = cluster.objects.find(
    (item) =>
      kindOf(item) === 'HorizontalPodAutoscaler' && at(item.object, 'spec.scaleTargetRef.name') === nameOf(placed),
  );
  // At full stretch: what must fit is the spike, not the calm.
  const copies = Number(at(scaler?.object, 'spec.maxReplicas') ?? at(placed.object, 'spec.replicas') ?? 1);
  const each = containers(pod).filter(({ init }) => !init);
  const claims = list(at(placed.object, 'spec.volumeClaimTemplates'));
  return {
    cpu: copies * each.reduce((sum, { spec }) => sum + quantity(at(spec, 'resources.requests.cpu')), 0),
    memory: copies * each.reduce((sum, { spec }) => sum + quantity(at(spec, 'resources.requests.memory')), 0),
    gpuMemory: copies * quantity(pod.annotations['porchlight.dev/gpu-memory']),
    storage:
      copies * claims.reduce<number>((sum, claim) => sum + quantity(at(claim, 'spec.resources.requests.storage')), 0),
  };
}

/** What everything together asks of the machine, GPU memory (system memory that no cgroup counts) apart. */
export function demand(cluster: Cluster, only: (placed: Placed) => boolean = () => true): Demand {
  return cluster.objects.filter(only).reduce((sum, placed) => {
    if (WORKLOADS.includes(kindOf(placed))) return add(sum, podDemand(placed, cluster));
    if (kindOf(placed) === 'HelmRelease') return add(sum, chartDemand(map(at(placed.object, 'spec.values'))));
    if (kindOf(placed) === 'PersistentVolumeClaim')
      return add(sum, { ...NOTHING, storage: quantity(at(placed.object, 'spec.resources.requests.storage')) });
    return sum;
  }, NOTHING);
}

const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} Gi`;

const machine: Rule = {
  id: 'machine-budget',
  why: 'Requests that do not fit leave pods pending; GPU memory is system memory too',
  check: (cluster) => {
    const host = machines[cluster.environment];
    if (host === undefined) return [];
    const asked = demand(cluster);
    const memory = quantity(host.memory) - quantity(host.reserved) - quantity(host.unlisted);
    const where = {
      rule: 'machine-budget',
      file: 'cluster/check/data/machines.yaml',
      object: `Machine ${cluster.environment}`,
    };
    const found: Finding[] = [];
    if (asked.cpu > host.cpu - 1)
      found.push({
        ...where,
        field: 'cpu',
        message: `${asked.cpu.toFixed(1)} cores are requested, ${host.cpu - 1} are there`,
      });
    if (asked.memory + asked.gpuMemory > memory)
      found.push({
        ...where,
        field: 'memory',
        message: `${gib(asked.memory)} and ${gib(asked.gpuMemory)} for the GPU are requested, ${gib(memory)} are there`,
      });
    if (asked.storage > quantity(host.storage))
      found.push({
        ...where,
        field: 'storage',
        message: `${gib(asked.storage)} are claimed, ${gib(quantity(host.storage))} are there`,
      });
    return found;
  },
};

const quotas: Rule = {
  id: 'quota-fits',
  why: 'A quota below the sum of its pods leaves the last one pending',
  check: (cluster) =>
    cluster.objects
      .filter((placed) => kindOf(placed) === 'ResourceQuota')
      .flatMap((placed) => {
        const asked = demand(cluster, (other) => namespaceOf(other) === namespaceOf(placed));
        const hard = map(at(placed.object, 'spec.hard'));
        return (
          [
            ['requests.cpu', asked.cpu],
            ['requests.memory', asked.memory],
            ['requests.storage', asked.storage],
          ] as const
        )
          .filter(([key, sum]) => hard[key] !== undefined && sum > quantity(hard[key]))
          .map(([key, sum]) => ({
            rule: 'quota-fits',
            ...complain(
              placed,
              `spec.hard[${key}]`,
              `is ${text(hard[key])}, its namespace asks for ${key === 'requests.cpu' ? sum.toFixed(2) : gib(sum)}`,
            ),
          }));
      }),
};

const sane: Rule = {
  id: 'quantity',
  why: 'A limit below its request is refused, a typo in a unit is a thousand times too little',
  check: (cluster) =>
    cluster.objects.flatMap((placed) => {
      const pod = podTemplate(placed);
      return (pod === undefined ? [] : containers(pod)).flatMap(({ path, spec }) =>
        (['cpu', 'memory'] as const).flatMap((key) => {
          const [request, limit] = ['requests', 'limits'].map((side) => map(at(spec, `resources.${side}`))[key]);
          const wrong = [request, limit].find((value) => Number.isNaN(quantity(value)));
          if (wrong !== undefined)
            return [
              { rule: 'quantity', ...complain(placed, `${path}.resources`, `"${text(wrong)}" is not a quantity`) },
            ];
          return request !== undefined && limit !== undefined && quantity(request) > quantity(limit)
            ? [
                {
                  rule: 'quantity',
                  ...complain(
                    placed,
                    `${path}.resources.limits.${key}`,
                    `${text(limit)} is below the request ${text(request)}`,
                  ),
                },
              ]
            : [];
        }),
      );
    }),
};

export const budgetRules: readonly Rule[] = [machine, quotas, sane];
