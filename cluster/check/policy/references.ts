import { broughtByChart, charts, secretNeeds } from '../data.ts';
import {
  at,
  type Cluster,
  type Complaint,
  complain,
  type Json,
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
import { containers, podRule, podTemplate, WORKLOADS } from '../pods.ts';

const find = (cluster: Cluster, kind: string, namespace: string, name: string): Placed | undefined =>
  cluster.objects.find(
    (placed) => kindOf(placed) === kind && namespaceOf(placed) === namespace && nameOf(placed) === name,
  );

const podsOf = (cluster: Cluster) =>
  cluster.objects.flatMap((placed) => {
    const pod = WORKLOADS.includes(kindOf(placed)) ? podTemplate(placed) : undefined;
    return pod === undefined ? [] : [{ namespace: namespaceOf(placed), pod }];
  });

/** The port numbers and names that a Service offers. */
const offers = (service: Placed) =>
  list(at(service.object, 'spec.ports')).flatMap((port) => [text(map(port).name), text(map(port).port)]);

function missingSecret(placed: Placed, cluster: Cluster, field: string, name: string): Complaint[] {
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

function serviceReference(placed: Placed, cluster: Cluster, field: string, reference: Json): Complaint[] {
  const namespace = text(map(reference).namespace) || namespaceOf(placed);
  const name = text(map(reference).name);
  const service = find(cluster, 'Service', namespace, name);
  if (service === undefined) {
    return broughtByChart('services', namespace, name)
      ? []
      : [complain(placed, `${field}.name`, `there is no Service "${name}" in ${namespace}`)];
  }
  const port = text(map(reference).port);
  return offers(service).includes(port)
    ? []
    : [complain(placed, `${field}.port`, `the Service "${name}" has no port "${port}"`)];
}

/** Nothing points at what is not there. */
export const referenceRules: readonly Rule[] = [
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
            const found = find(cluster, 'ConfigMap', namespaceOf(placed), name);
            return found === undefined
              ? [complain(placed, field, `there is no ConfigMap "${name}" in ${namespaceOf(placed)}`)]
              : [];
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
      return name === undefined || find(cluster, 'PersistentVolumeClaim', namespaceOf(placed), text(name)) !== undefined
        ? []
        : [
            complain(
              placed,
              `${podTemplate(placed)?.path}.volumes[${index}].persistentVolumeClaim.claimName`,
              `there is no claim "${text(name)}"`,
            ),
          ];
    }),
  ),
  objectRule('dangling-account', 'A pod with an unknown account is never created', WORKLOADS, (placed, cluster) => {
    const pod = podTemplate(placed);
    const name = text(pod?.spec.serviceAccountName);
    return name === '' || name === 'default' || find(cluster, 'ServiceAccount', namespaceOf(placed), name) !== undefined
      ? []
      : [
          complain(
            placed,
            `${pod?.path}.serviceAccountName`,
            `there is no ServiceAccount "${name}" in ${namespaceOf(placed)}`,
          ),
        ];
  }),
  objectRule('service-selects', 'A Service without pods answers 503', ['Service'], (placed, cluster) => {
    const selector = map(at(placed.object, 'spec.selector'));
    const targets = podsOf(cluster).filter(
      ({ namespace, pod }) => namespace === namespaceOf(placed) && labelsMatch(selector, pod.labels),
    );
    if (targets.length === 0) return [complain(placed, 'spec.selector', 'selects no pod of this namespace')];
    const ports = targets.flatMap(({ pod }) =>
      containers(pod).flatMap(({ spec }) =>
        list(spec.ports).flatMap((port) => [text(map(port).name), text(map(port).containerPort)]),
      ),
    );
    return list(at(placed.object, 'spec.ports')).flatMap((port, index) => {
      const target = text(map(port).targetPort ?? map(port).port);
      return ports.includes(target)
        ? []
        : [complain(placed, `spec.ports[${index}].targetPort`, `no selected container has the port "${target}"`)];
    });
  }),
  objectRule('policy-selects', 'A policy for nobody gives false comfort', ['NetworkPolicy'], (placed, cluster) => {
    const selector = map(at(placed.object, 'spec.podSelector.matchLabels'));
    if (Object.keys(selector).length === 0) return [];
    const found =
      podsOf(cluster).some(
        ({ namespace, pod }) => namespace === namespaceOf(placed) && labelsMatch(selector, pod.labels),
      ) ||
      list(charts.pods).some(
        (pod) => text(map(pod).namespace) === namespaceOf(placed) && labelsMatch(selector, map(map(pod).labels)),
      );
    return found ? [] : [complain(placed, 'spec.podSelector.matchLabels', 'selects no pod of this namespace')];
  }),
  objectRule(
    'scaler-target',
    'An autoscaler without a target does nothing',
    ['HorizontalPodAutoscaler'],
    (placed, cluster) => {
      const target = map(at(placed.object, 'spec.scaleTargetRef'));
      return find(cluster, text(target.kind), namespaceOf(placed), text(target.name)) === undefined
        ? [complain(placed, 'spec.scaleTargetRef.name', `there is no ${text(target.kind)} "${text(target.name)}"`)]
        : [];
    },
  ),
  objectRule(
    'budget-selects',
    'A disruption budget for nobody protects nobody',
    ['PodDisruptionBudget'],
    (placed, cluster) => {
      const selector = map(at(placed.object, 'spec.selector.matchLabels'));
      return podsOf(cluster).some(
        ({ namespace, pod }) => namespace === namespaceOf(placed) && labelsMatch(selector, pod.labels),
      )
        ? []
        : [complain(placed, 'spec.selector.matchLabels', 'selects no pod of this namespace')];
    },
  ),
  objectRule(
    'monitor-selects',
    'A monitor without a Service scrapes nothing, silently',
    ['ServiceMonitor'],
    (placed, cluster) => {
      const selector = map(at(placed.object, 'spec.selector.matchLabels'));
      const services = cluster.objects.filter(
        (other) =>
          kindOf(other) === 'Service' &&
          namespaceOf(other) === namespaceOf(placed) &&
          labelsMatch(selector, map(at(other.object, 'metadata.labels'))),
      );
      if (services.length === 0)
        return [complain(placed, 'spec.selector.matchLabels', 'selects no Service of this namespace')];
      return list(at(placed.object, 'spec.endpoints')).flatMap((endpoint, index) =>
        services.some((service) => offers(service).includes(text(map(endpoint).port)))
          ? []
          : [
              complain(
                placed,
                `spec.endpoints[${index}].port`,
                `no selected Service has the port "${text(map(endpoint).port)}"`,
              ),
            ],
      );
    },
  ),
  objectRule('route-targets', 'A route to nowhere answers 404', ['IngressRoute'], (placed, cluster) => {
    const routes = list(at(placed.object, 'spec.routes'));
    const secret = at(placed.object, 'spec.tls.secretName');
    return [
      ...(secret === undefined ? [] : missingSecret(placed, cluster, 'spec.tls.secretName', text(secret))),
      ...routes.flatMap((route, index) => [
        ...list(map(route).services).flatMap((service, which) =>
          serviceReference(placed, cluster, `spec.routes[${index}].services[${which}]`, service),
        ),
        ...list(map(route).middlewares).flatMap((middleware, which) =>
          find(
            cluster,
            'Middleware',
            text(map(middleware).namespace) || namespaceOf(placed),
            text(map(middleware).name),
          ) === undefined
            ? [
                complain(
                  placed,
                  `spec.routes[${index}].middlewares[${which}].name`,
                  `there is no Middleware "${text(map(middleware).name)}" in ${namespaceOf(placed)}`,
                ),
              ]
            : [],
        ),
      ]),
    ];
  }),
  objectRule(
    'certificate-issuer',
    'A certificate without an issuer is never signed',
    ['Certificate'],
    (placed, cluster) => {
      const issuer = map(at(placed.object, 'spec.issuerRef'));
      const kind = text(issuer.kind) || 'Issuer';
      return find(cluster, kind, kind === 'ClusterIssuer' ? '' : namespaceOf(placed), text(issuer.name)) === undefined
        ? [complain(placed, 'spec.issuerRef.name', `there is no ${kind} "${text(issuer.name)}"`)]
        : [];
    },
  ),
  objectRule(
    'binding-role',
    'A binding to nothing grants nothing',
    ['RoleBinding', 'ClusterRoleBinding'],
    (placed, cluster) => {
      const role = map(at(placed.object, 'roleRef'));
      const missing =
        find(cluster, text(role.kind), text(role.kind) === 'Role' ? namespaceOf(placed) : '', text(role.name)) ===
        undefined;
      return [
        ...(missing ? [complain(placed, 'roleRef.name', `there is no ${text(role.kind)} "${text(role.name)}"`)] : []),
        ...list(at(placed.object, 'subjects')).flatMap((subject, index) =>
          map(subject).kind === 'ServiceAccount' &&
          find(cluster, 'ServiceAccount', text(map(subject).namespace), text(map(subject).name)) === undefined
            ? [complain(placed, `subjects[${index}].name`, `there is no ServiceAccount "${text(map(subject).name)}"`)]
            : [],
        ),
      ];
    },
  ),
  objectRule(
    'middleware-secret',
    'Without its Secret the middleware refuses everybody',
    ['Middleware'],
    (placed, cluster) => {
      const secret = at(placed.object, 'spec.basicAuth.secret');
      return secret === undefined ? [] : missingSecret(placed, cluster, 'spec.basicAuth.secret', text(secret));
    },
  ),
];
