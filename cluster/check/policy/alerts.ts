import { causes } from '../data.ts';
import { at, type Cluster, complain, identity, kindOf, list, map, objectRule, type Rule, text } from '../manifest.ts';

/** Generated names carry a hash at their end. */
const byName = (cluster: Cluster, name: string) =>
  cluster.objects.find((placed) => identity(placed).replace(/-[a-z0-9]{10}$/, '') === name);

const alertsOf = (cluster: Cluster) =>
  cluster.objects
    .filter((placed) => kindOf(placed) === 'PrometheusRule')
    .flatMap((placed) =>
      list(at(placed.object, 'spec.groups'))
        .flatMap((group) => list(map(group).rules))
        .map((rule) => ({ placed, name: text(map(rule).alert), expression: text(map(rule).expr) })),
    );

const cause: Rule = {
  id: 'alert-has-cause',
  why: 'An alert on what an environment does not have fires for ever, and the real ones are no longer read',
  check: (cluster) => {
    const alerts = alertsOf(cluster);
    const unlisted = alerts
      .filter(({ name, expression }) => expression.includes('absent(') && !causes.some(({ alert }) => alert === name))
      .map(({ placed, name }) =>
        complain(placed, `${name}.expr`, 'asks for absent(): name its cause in check/data/causes.yaml'),
      );
    const without = causes.flatMap(({ alert, object, not }) => {
      const watched = alerts.find(({ name }) => name === alert);
      if (watched === undefined) return [];
      const found = byName(cluster, object);
      if (found === undefined)
        return [complain(watched.placed, `${alert}.expr`, `would never end: there is no ${object}`)];
      return not !== undefined && at(found.object, not.field) === not.value
        ? [complain(found, not.field, `is ${not.value}, so that ${alert} never ends: leave its rule out here`)]
        : [];
    });
    return [...unlisted, ...without].map((complaint) => ({ rule: 'alert-has-cause', ...complaint }));
  },
};

/** What watches must have something to watch. */
export const alertRules: readonly Rule[] = [
  cause,
  objectRule(
    'probe-resolves',
    'A name under .localhost is the prober itself (RFC 6761, section 6.3)',
    ['Probe'],
    (placed) =>
      list(at(placed.object, 'spec.targets.staticConfig.static')).flatMap((target, index) =>
        /^\w+:\/\/([\w.-]+\.)?localhost([:/]|$)/.test(text(target))
          ? [
              complain(
                placed,
                `spec.targets.staticConfig.static[${index}]`,
                `asks ${text(target)}, which is the prober's own pod`,
              ),
            ]
          : [],
      ),
  ),
];
