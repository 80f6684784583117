import {
  at,
  type Cluster,
  complain,
  kindOf,
  list,
  map,
  nameOf,
  namespaceOf,
  objectRule,
  type Rule,
  text,
} from '../manifest.ts';

/** Not ours: K3s and Argo CD make them. */
const FOREIGN = ['kube-system', 'argocd'];

const has = (cluster: Cluster, kind: string, namespace: string) =>
  cluster.objects.some((placed) => kindOf(placed) === kind && namespaceOf(placed) === namespace);

const CLUSTER_SCOPED = [
  'Namespace',
  'ClusterIssuer',
  'ClusterRole',
  'ClusterRoleBinding',
  'PriorityClass',
  'StorageClass',
  'CustomResourceDefinition',
  'PersistentVolume',
];

/** Every namespace is labelled, bounded and closed. */
export const namespaceRules: readonly Rule[] = [
  objectRule('pod-security-label', 'The API server enforces what the label says', ['Namespace'], (placed) => {
    const level = text(map(at(placed.object, 'metadata.labels'))['pod-security.kubernetes.io/enforce']);
    return level === 'restricted'
      ? []
      : [complain(placed, 'metadata.labels[pod-security.kubernetes.io/enforce]', `is "${level}", not "restricted"`)];
  }),
  objectRule('quota', 'A runaway stops at the quota, not at the node', ['Namespace'], (placed, cluster) =>
    has(cluster, 'ResourceQuota', nameOf(placed)) ? [] : [complain(placed, 'metadata.name', 'has no ResourceQuota')],
  ),
  objectRule('limit-range', 'A container without numbers gets some', ['Namespace'], (placed, cluster) =>
    has(cluster, 'LimitRange', nameOf(placed)) ? [] : [complain(placed, 'metadata.name', 'has no LimitRange')],
  ),
  objectRule('default-deny', 'Closed both ways, then opened by name', ['Namespace'], (placed, cluster) => {
    const closed = cluster.objects.some(
      (other) =>
        kindOf(other) === 'NetworkPolicy' &&
        namespaceOf(other) === nameOf(placed) &&
        Object.keys(map(at(other.object, 'spec.podSelector'))).length === 0 &&
        ['Ingress', 'Egress'].every((type) => list(at(other.object, 'spec.policyTypes')).includes(type)) &&
        at(other.object, 'spec.ingress') === undefined &&
        at(other.object, 'spec.egress') === undefined,
    );
    return closed
      ? []
      : [complain(placed, 'metadata.name', 'has no NetworkPolicy that denies ingress and egress by default')];
  }),
  {
    id: 'namespace-exists',
    why: 'An object in a namespace that nobody makes is never applied',
    check: (cluster) => {
      const known = new Set([
        ...FOREIGN,
        ...cluster.objects.filter((placed) => kindOf(placed) === 'Namespace').map(nameOf),
      ]);
      return cluster.objects
        .filter((placed) => !CLUSTER_SCOPED.includes(kindOf(placed)) && !known.has(namespaceOf(placed)))
        .map((placed) => ({
          rule: 'namespace-exists',
          ...complain(
            placed,
            'metadata.namespace',
            namespaceOf(placed) === '' ? 'is missing' : `no manifest makes the namespace "${namespaceOf(placed)}"`,
          ),
        }));
    },
  },
];
