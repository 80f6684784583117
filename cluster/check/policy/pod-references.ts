import { secretNeeds } from '../data.ts';
import { absent, missingSecret } from '../lookup.ts';
import { at, complain, list, map, namespaceOf, objectRule, type Placed, type Rule, text } from '../manifest.ts';
import { containers, podRule, podTemplate, WORKLOADS } from '../pods.ts';

/** Every place in a pod that names a ConfigMap or a Secret, as [field, kind, name, key]. */
function namedByPod(placed: Placed): [string, 'ConfigMap' | 'Secret', string, string][] {
  const pod = podTemplate(placed);
  if (pod === undefined) return [];
  const fromVolumes = list(pod.spec.volumes).flatMap(
    (volume, index): [string, 'ConfigMap' | 'Secret', string, string][] => {
      const path = `${pod.path}.volumes[${index}]`;
      if (map(volume).configMap !== undefined)
        return [[`${path}.configMap.name`, 'ConfigMap', text(at(volume, 'configMap.name')), '']];
      return map(volume).secret === undefined
        ? []
        : [[`${path}.secret.secretName`, 'Secret', text(at(volume, 'secret.secretName')), '']];
    },
  );
  const fromEnvironment = containers(pod).flatMap(({ path, spec }) => [
    ...list(spec.envFrom).flatMap((source, index): [string, 'ConfigMap' | 'Secret', string, string][] =>
      map(source).configMapRef !== undefined
        ? [[`${path}.envFrom[${index}].configMapRef.name`, 'ConfigMap', text(at(source, 'configMapRef.name')), '']]
        : [[`${path}.envFrom[${index}].secretRef.name`, 'Secret', text(at(source, 'secretRef.name')), '']],
    ),
    ...list(spec.env).flatMap((item, index): [string, 'ConfigMap' | 'Secret', string, string][] =>
      (['configMapKeyRef', 'secretKeyRef'] as const).flatMap(
        (key): [string, 'ConfigMap' | 'Secret', string, string][] => {
          const reference = at(item, `valueFrom.${key}`);
          if (reference === undefined) return [];
          return [
            [
              `${path}.env[${index}].valueFrom.${key}`,
              key === 'secretKeyRef' ? 'Secret' : 'ConfigMap',
              text(map(reference).name),
              text(map(reference).key),
            ],
          ];
        },
      ),
    ),
  ]);
  return [...fromVolumes, ...fromEnvironment];
}

/** What a pod names is there. */
export const podReferenceRules: readonly Rule[] = [
  {
    id: 'dangling-config',
    why: 'A pod that names a missing ConfigMap or Secret never starts',
    check: (cluster) =>
      cluster.objects.flatMap((placed) =>
        namedByPod(placed)
          .flatMap(([field, kind, name, key]) => {
            if (kind === 'Secret') {
              const need = secretNeeds.find((item) => item.namespace === namespaceOf(placed) && item.name === name);
              const unknown = need !== undefined && key !== '' && !need.keys.includes(key);
              return unknown
                ? [complain(placed, field, `the Secret "${name}" has no key "${key}"`)]
                : missingSecret(placed, cluster, field, name);
            }
            return absent(placed, cluster, field, ['ConfigMap', namespaceOf(placed), name]);
          })
          .map((complaint) => ({ rule: 'dangling-config', ...complaint })),
      ),
  },
  podRule('volume-mounts', 'A mount without its volume is refused by the API server', (pod, placed) => {
    const volumes = [
      ...list(pod.spec.volumes),
      ...list(at(placed.object, 'spec.volumeClaimTemplates')).map((claim) => ({
        name: at(claim, 'metadata.name') ?? '',
      })),
    ];
    const names = volumes.map((volume) => text(map(volume).name));
    return containers(pod).flatMap(({ path, spec }) =>
      list(spec.volumeMounts).flatMap((mount, index) =>
        names.includes(text(map(mount).name))
          ? []
          : [complain(placed, `${path}.volumeMounts[${index}].name`, `there is no volume "${text(map(mount).name)}"`)],
      ),
    );
  }),
  objectRule('dangling-claim', 'A pod that names a missing claim waits for ever', WORKLOADS, (placed, cluster) =>
    list(podTemplate(placed)?.spec.volumes).flatMap((volume, index) => {
      const name = at(volume, 'persistentVolumeClaim.claimName');
      const field = `${podTemplate(placed)?.path}.volumes[${index}].persistentVolumeClaim.claimName`;
      return name === undefined
        ? []
        : absent(placed, cluster, field, ['PersistentVolumeClaim', namespaceOf(placed), text(name)]);
    }),
  ),
  objectRule('dangling-account', 'A pod with an unknown account is never created', WORKLOADS, (placed, cluster) => {
    const pod = podTemplate(placed);
    const name = text(pod?.spec.serviceAccountName);
    return name === '' || name === 'default'
      ? []
      : absent(placed, cluster, `${pod?.path}.serviceAccountName`, ['ServiceAccount', namespaceOf(placed), name]);
  }),
];
