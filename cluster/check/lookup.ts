/** Finding one object of an environment from another. */
import { broughtByChart, secretNeeds } from './data.ts';
import {
  at,
  type Cluster,
  type Complaint,
  complain,
  type JsonMap,
  kindOf,
  labelsMatch,
  list,
  map,
  nameOf,
  namespaceOf,
  type Placed,
  text,
} from './manifest.ts';
import { podTemplate, WORKLOADS } from './pods.ts';

export const find = (cluster: Cluster, kind: string, namespace: string, name: string): Placed | undefined =>
  cluster.objects.find(
    (placed) => kindOf(placed) === kind && namespaceOf(placed) === namespace && nameOf(placed) === name,
  );

export const podsOf = (cluster: Cluster) =>
  cluster.objects.flatMap((placed) => {
    const pod = WORKLOADS.includes(kindOf(placed)) ? podTemplate(placed) : undefined;
    return pod === undefined ? [] : [{ namespace: namespaceOf(placed), pod }];
  });

/** The complaint that a named object is not there; nothing where it is. An empty namespace is a cluster-wide object's. */
export function absent(
  placed: Placed,
  cluster: Cluster,
  field: string,
  [kind, namespace, name]: readonly [kind: string, namespace: string, name: string],
): Complaint[] {
  if (find(cluster, kind, namespace, name) !== undefined) return [];
  const where = namespace === '' ? '' : ` in ${namespace}`;
  return [complain(placed, field, `there is no ${kind} "${name}"${where}`)];
}

/** Every pod template that a selector of this object's namespace selects. */
export const selectedPods = (placed: Placed, cluster: Cluster, selector: JsonMap) =>
  podsOf(cluster).filter(
    ({ namespace, pod }) => namespace === namespaceOf(placed) && labelsMatch(selector, pod.labels),
  );

/** Objects of a kind in this object's namespace whose selector selects its pods. */
export const selecting = (placed: Placed, cluster: Cluster, kind: string): Placed[] =>
  cluster.objects.filter(
    (other) =>
      kindOf(other) === kind &&
      namespaceOf(other) === namespaceOf(placed) &&
      labelsMatch(map(at(other.object, 'spec.selector.matchLabels')), podTemplate(placed)?.labels ?? {}),
  );

/** The port numbers and names that a Service offers. */
export const offers = (service: Placed) =>
  list(at(service.object, 'spec.ports')).flatMap((port) => [text(map(port).name), text(map(port).port)]);

export function missingSecret(placed: Placed, cluster: Cluster, field: string, name: string): Complaint[] {
  const namespace = namespaceOf(placed);
  const made =
    find(cluster, 'Secret', namespace, name) !== undefined ||
    broughtByChart('secrets', namespace, name) ||
    secretNeeds.some((need) => need.namespace === namespace && need.name === name) ||
    cluster.objects.some(
      (other) =>
        kindOf(other) === 'Certificate' &&
        namespaceOf(other) === namespace &&
        at(other.object, 'spec.secretName') === name,
    );
  return made
    ? []
    : [
        complain(
          placed,
          field,
          `nothing makes the Secret "${name}" in ${namespace}; add it to check/data/secrets.yaml`,
        ),
      ];
}
