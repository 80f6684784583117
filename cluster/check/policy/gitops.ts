import { absent } from '../lookup.ts';
import {
  at,
  type Cluster,
  complain,
  type JsonMap,
  kindOf,
  list,
  map,
  nameOf,
  namespaceOf,
  objectRule,
  type Placed,
  type Rule,
  text,
} from '../manifest.ts';

const stages = (cluster: Cluster) =>
  cluster.objects.filter(
    (placed) => kindOf(placed) === 'Kustomization' && text(placed.object.apiVersion).startsWith('kustomize.toolkit'),
  );

/** The names a stage waits for, directly or not; a cycle shows as the stage itself. */
function waitsFor(name: string, cluster: Cluster, seen = new Set<string>()): Set<string> {
  const stage = stages(cluster).find((placed) => nameOf(placed) === name);
  for (const item of list(at(stage?.object, 'spec.dependsOn'))) {
    const next = text(map(item).name);
    if (!seen.has(next)) waitsFor(next, cluster, seen.add(next));
  }
  return seen;
}

/** Order, sources and charts. */
export const gitopsRules: readonly Rule[] = [
  objectRule(
    'release-retries',
    'helm-controller tries a failed release once and then waits for a person, unless told to retry',
    ['HelmRelease'],
    (placed) =>
      ['spec.install.strategy.name', 'spec.upgrade.strategy.name'].flatMap((field) =>
        at(placed.object, field) === 'RetryOnFailure'
          ? []
          : [complain(placed, field, 'is not RetryOnFailure; add gitops/flux/releases to the components of its stage')],
      ),
  ),
  objectRule(
    'stage-order',
    'A stage that waits for nothing real, or for itself, never starts',
    ['Kustomization'],
    (placed, cluster) => {
      const missing = list(at(placed.object, 'spec.dependsOn')).flatMap((item, index) =>
        absent(placed, cluster, `spec.dependsOn[${index}].name`, [
          'Kustomization',
          namespaceOf(placed),
          text(map(item).name),
        ]),
      );
      return waitsFor(nameOf(placed), cluster).has(nameOf(placed))
        ? [...missing, complain(placed, 'spec.dependsOn', 'waits for itself')]
        : missing;
    },
  ),
  objectRule('stage-waits', 'Without wait, ready means applied, not healthy', ['Kustomization'], (placed) =>
    (['wait', 'prune'] as const)
      .filter((key) => at(placed.object, `spec.${key}`) !== true)
      .map((key) => complain(placed, `spec.${key}`, 'set it to true')),
  ),
  objectRule('chart-source', 'A release without its source is never installed', ['HelmRelease'], (placed, cluster) => {
    const [field, reference] =
      at(placed.object, 'spec.chartRef') === undefined
        ? ['spec.chart.spec.sourceRef', at(placed.object, 'spec.chart.spec.sourceRef')]
        : ['spec.chartRef', at(placed.object, 'spec.chartRef')];
    const { kind, name, namespace } = map(reference);
    return absent(placed, cluster, `${field}.name`, [text(kind), text(namespace) || namespaceOf(placed), text(name)]);
  }),
  objectRule(
    'chart-version',
    'An exact chart version, moved by a pull request',
    ['HelmRelease', 'OCIRepository'],
    (placed) => {
      if (kindOf(placed) === 'HelmRelease' && at(placed.object, 'spec.chart') === undefined) return [];
      const field = kindOf(placed) === 'HelmRelease' ? 'spec.chart.spec.version' : 'spec.ref.tag';
      return /^v?\d+\.\d+\.\d+$/.test(text(at(placed.object, field)))
        ? []
        : [complain(placed, field, `"${text(at(placed.object, field))}" is not an exact version`)];
    },
  ),
  objectRule('chart-resources', 'What a chart starts is bounded like everything else', ['HelmRelease'], (placed) => {
    const unbounded = (values: JsonMap, path: string): string[] =>
      Object.entries(values).flatMap(([key, value]) => {
        if (key !== 'resources')
          return typeof value === 'object' && value !== null && !Array.isArray(value) && key !== 'volumeClaimTemplate'
            ? unbounded(value, `${path}.${key}`)
            : [];
        return Array.isArray(value) ||
          (at(value, 'requests.memory') !== undefined && at(value, 'limits.memory') !== undefined)
          ? []
          : [`${path}.resources`];
      });
    return unbounded(map(at(placed.object, 'spec.values')), 'spec.values').map((field) =>
      complain(placed, field, 'needs requests.memory and limits.memory'),
    );
  }),
  objectRule('image-policy', 'Only semver tags can be automated', ['ImagePolicy'], (placed, cluster) => {
    const repository = text(at(placed.object, 'spec.imageRepositoryRef.name'));
    const missing = absent(placed, cluster, 'spec.imageRepositoryRef.name', [
      'ImageRepository',
      namespaceOf(placed),
      repository,
    ]);
    return at(placed.object, 'spec.policy.semver.range') === undefined
      ? [...missing, complain(placed, 'spec.policy', 'use semver')]
      : missing;
  }),
  objectRule(
    'receiver-resources',
    'A hook for something that is not there wakes nobody',
    ['Receiver'],
    (placed, cluster) =>
      list(at(placed.object, 'spec.resources')).flatMap((item, index) =>
        absent(placed, cluster, `spec.resources[${index}].name`, [
          text(map(item).kind),
          text(map(item).namespace) || namespaceOf(placed),
          text(map(item).name),
        ]),
      ),
  ),
  objectRule('alert-provider', 'An alert without a provider is silence', ['Alert'], (placed, cluster) =>
    absent(placed, cluster, 'spec.providerRef.name', [
      'Provider',
      namespaceOf(placed),
      text(at(placed.object, 'spec.providerRef.name')),
    ]),
  ),
  {
    id: 'unique',
    why: 'Two manifests of one object overwrite each other at every reconcile',
    check: (cluster) => {
      const key = (placed: Placed) =>
        `${text(placed.object.apiVersion)} ${kindOf(placed)} ${namespaceOf(placed)}/${nameOf(placed)}`;
      const seen = new Set<string>();
      return cluster.objects.flatMap((placed) => {
        const twice = seen.has(key(placed));
        seen.add(key(placed));
        return twice ? [{ rule: 'unique', ...complain(placed, 'metadata.name', 'is declared twice') }] : [];
      });
    },
  },
];
