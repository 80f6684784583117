import { broughtByChart, charts } from '../data.ts';
import { absent, find, missingSecret, offers, selectedPods } from '../lookup.ts';
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
  namespaceOf,
  objectRule,
  type Placed,
  type Rule,
  text,
} from '../manifest.ts';
import { containers } from '../pods.ts';

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

/** Nothing selects or targets what is not there. */
export const referenceRules: readonly Rule[] = [
  objectRule('service-selects', 'A Service without pods answers 503', ['Service'], (placed, cluster) => {
    const selector = map(at(placed.object, 'spec.selector'));
    const targets = selectedPods(placed, cluster, selector);
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
      selectedPods(placed, cluster, selector).length > 0 ||
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
      return absent(placed, cluster, 'spec.scaleTargetRef.name', [
        text(target.kind),
        namespaceOf(placed),
        text(target.name),
      ]);
    },
  ),
  objectRule(
    'budget-selects',
    'A disruption budget for nobody protects nobody',
    ['PodDisruptionBudget'],
    (placed, cluster) => {
      const selector = map(at(placed.object, 'spec.selector.matchLabels'));
      return selectedPods(placed, cluster, selector).length > 0
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
          absent(placed, cluster, `spec.routes[${index}].middlewares[${which}].name`, [
            'Middleware',
            text(map(middleware).namespace) || namespaceOf(placed),
            text(map(middleware).name),
          ]),
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
      const namespace = kind === 'ClusterIssuer' ? '' : namespaceOf(placed);
      return absent(placed, cluster, 'spec.issuerRef.name', [kind, namespace, text(issuer.name)]);
    },
  ),
  objectRule(
    'binding-role',
    'A binding to nothing grants nothing',
    ['RoleBinding', 'ClusterRoleBinding'],
    (placed, cluster) => {
      const role = map(at(placed.object, 'roleRef'));
      const namespace = text(role.kind) === 'Role' ? namespaceOf(placed) : '';
      return [
        ...absent(placed, cluster, 'roleRef.name', [text(role.kind), namespace, text(role.name)]),
        ...list(at(placed.object, 'subjects')).flatMap((subject, index) =>
          map(subject).kind === 'ServiceAccount'
            ? absent(placed, cluster, `subjects[${index}].name`, [
                'ServiceAccount',
                text(map(subject).namespace),
                text(map(subject).name),
              ])
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
