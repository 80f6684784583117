import { machines } from '../data.ts';
import { at, complain, kindOf, labelsMatch, list, map, namespaceOf, objectRule, type Rule, text } from '../manifest.ts';
import { podTemplate, WORKLOADS } from '../pods.ts';
import { homeReached } from './ranges.ts';

/** Policies that say something, and pods that have one. */
export const networkRules: readonly Rule[] = [
  objectRule(
    'pod-has-policy',
    'Behind default-deny a pod without a policy can talk to nobody',
    WORKLOADS,
    (placed, cluster) => {
      const pod = podTemplate(placed);
      if (pod === undefined) return [];
      const covered = cluster.objects.some((other) => {
        if (kindOf(other) !== 'NetworkPolicy' || namespaceOf(other) !== namespaceOf(placed)) return false;
        const selector = map(at(other.object, 'spec.podSelector.matchLabels'));
        return Object.keys(selector).length > 0 && labelsMatch(selector, pod.labels);
      });
      return covered
        ? []
        : [
            complain(
              placed,
              `${pod.path.replace(/spec$/, 'metadata.labels')}`,
              'is selected by no NetworkPolicy of its own',
            ),
          ];
    },
  ),
  objectRule('no-open-ingress', 'An empty rule admits everybody', ['NetworkPolicy'], (placed) =>
    list(at(placed.object, 'spec.ingress')).flatMap((rule, index) =>
      list(map(rule).from).length === 0
        ? [complain(placed, `spec.ingress[${index}].from`, 'admits everybody; name who')]
        : [],
    ),
  ),
  objectRule('no-open-egress', 'An empty rule lets everything out', ['NetworkPolicy'], (placed) =>
    list(at(placed.object, 'spec.egress')).flatMap((rule, index) => {
      if (list(map(rule).to).length === 0)
        return [complain(placed, `spec.egress[${index}].to`, 'lets everything out; name where')];
      return list(map(rule).to).flatMap((peer, which) => {
        const except = list(at(peer, 'ipBlock.except')).map(text);
        const reached = homeReached(text(at(peer, 'ipBlock.cidr')), except);
        const field = `spec.egress[${index}].to[${which}].ipBlock.except`;
        return reached.length === 0
          ? []
          : [complain(placed, field, `reaches the home network too; except ${reached.join(', ')}`)];
      });
    }),
  ),
  objectRule(
    'api-server-by-node',
    'kube-router sees the packet after translation: the node and 6443, never the Service',
    ['NetworkPolicy'],
    (placed) =>
      list(at(placed.object, 'spec.egress')).flatMap((rule, index) =>
        list(map(rule).to).some((peer) => /^10\.43\./.test(text(at(peer, 'ipBlock.cidr')))) ||
        (list(map(rule).to).some((peer) => text(at(peer, 'ipBlock.cidr')).endsWith('/32')) &&
          list(map(rule).ports).some((port) => map(port).port === 443))
          ? [
              complain(
                placed,
                `spec.egress[${index}]`,
                "allow the node's address on 6443; a Service address is never matched",
              ),
            ]
          : [],
      ),
  ),
  {
    id: 'node-address',
    why: 'Each environment is another machine',
    check: (cluster) => {
      const expected = `${machines[cluster.environment]?.['node-ip'] ?? ''}/32`;
      return cluster.objects.flatMap((placed) =>
        kindOf(placed) !== 'NetworkPolicy'
          ? []
          : (['ingress', 'egress'] as const).flatMap((way) =>
              list(at(placed.object, `spec.${way}`)).flatMap((rule, index) =>
                list(map(rule)[way === 'ingress' ? 'from' : 'to']).flatMap((peer, which) => {
                  const cidr = text(at(peer, 'ipBlock.cidr'));
                  const field = `spec.${way}[${index}].${way === 'ingress' ? 'from' : 'to'}[${which}].ipBlock.cidr`;
                  return cidr.endsWith('/32') && cidr !== expected
                    ? [
                        {
                          rule: 'node-address',
                          ...complain(placed, field, `is ${cidr}; the node of ${cluster.environment} is ${expected}`),
                        },
                      ]
                    : [];
                }),
              ),
            ),
      );
    },
  },
  objectRule('no-node-port', 'The tunnel is the only way in', ['Service'], (placed) =>
    ['NodePort', 'LoadBalancer'].includes(text(at(placed.object, 'spec.type')))
      ? [
          complain(
            placed,
            'spec.type',
            `${text(at(placed.object, 'spec.type'))} opens the node; use ClusterIP and a route`,
          ),
        ]
      : [],
  ),
];
