import { parse } from 'yaml';
import {
  at,
  type Cluster,
  complain,
  type Finding,
  type JsonMap,
  kindOf,
  list,
  map,
  nameOf,
  objectRule,
  type Placed,
  type Rule,
  text,
} from '../manifest.ts';

interface Route {
  readonly placed: Placed;
  readonly field: string;
  readonly host: string;
  readonly paths: readonly string[];
  readonly priority: number | undefined;
}

/** The hosts and paths of a Traefik rule; exact paths end in `$`. Only what our routes use: Host, Path, PathPrefix. */
function routesOf(cluster: Cluster): Route[] {
  return cluster.objects
    .filter((placed) => kindOf(placed) === 'IngressRoute')
    .flatMap((placed) =>
      list(at(placed.object, 'spec.routes')).flatMap((route, index) => {
        const match = text(map(route).match);
        const paths = [...match.matchAll(/(PathPrefix|Path)\(`([^`]*)`\)/g)].map(
          ([, kind, path]) => `${path}${kind === 'Path' ? '$' : ''}`,
        );
        const priority = map(route).priority;
        return [...match.matchAll(/Host\(`([^`]*)`\)/g)].map(([, host]) => ({
          placed,
          field: `spec.routes[${index}]`,
          host: host ?? '',
          paths: paths.length === 0 ? ['/'] : paths,
          priority: typeof priority === 'number' ? priority : undefined,
        }));
      }),
    );
}

/** Whether some request could match both: equal exact paths, or one prefix inside the other. */
export function pathsOverlap(one: string, other: string): boolean {
  const exact = (path: string) => path.endsWith('$');
  const bare = (path: string) => path.replace(/\$$/, '');
  if (exact(one) && exact(other)) return one === other;
  if (exact(one)) return bare(one).startsWith(bare(other));
  if (exact(other)) return bare(other).startsWith(bare(one));
  return one.startsWith(other) || other.startsWith(one);
}

const collisions: Rule = {
  id: 'route-collision',
  why: 'Two routes that match the same request without an order once caused 404s',
  check: (cluster) => {
    const routes = routesOf(cluster);
    return routes.flatMap((route, index) =>
      routes.slice(0, index).flatMap((earlier): Finding[] => {
        const overlap =
          route.host === earlier.host &&
          route.paths.some((path) => earlier.paths.some((other) => pathsOverlap(path, other)));
        return overlap && route.priority === earlier.priority
          ? [
              {
                rule: 'route-collision',
                ...complain(
                  route.placed,
                  `${route.field}.match`,
                  `overlaps ${nameOf(earlier.placed)} ${earlier.field} on ${route.host} at the same priority`,
                ),
              },
            ]
          : [];
      }),
    );
  },
};

/** The tunnel's rules, out of its ConfigMap. */
function tunnelHosts(cluster: Cluster): { placed: Placed; hosts: string[] } | undefined {
  const placed = cluster.objects.find(
    (item) => kindOf(item) === 'ConfigMap' && nameOf(item).startsWith('cloudflared-config'),
  );
  if (placed === undefined) return undefined;
  const config = map(parse(text(map(placed.object.data)['config.yaml'])) as JsonMap);
  return {
    placed,
    hosts: list(config.ingress)
      .map((rule) => text(map(rule).hostname))
      .filter((host) => host !== ''),
  };
}

export const routeRules: readonly Rule[] = [
  collisions,
  objectRule('route-priority', 'Order is said, never derived from the length of a rule', ['IngressRoute'], (placed) =>
    list(at(placed.object, 'spec.routes')).flatMap((route, index) =>
      typeof map(route).priority === 'number'
        ? []
        : [complain(placed, `spec.routes[${index}].priority`, 'set an explicit priority')],
    ),
  ),
  objectRule('route-tls', 'HTTPS everywhere', ['IngressRoute'], (placed) =>
    at(placed.object, 'spec.tls.secretName') === undefined
      ? [complain(placed, 'spec.tls.secretName', 'name the certificate')]
      : [],
  ),
  objectRule(
    'route-protected',
    'What the world may call is limited and carries security headers',
    ['IngressRoute'],
    (placed) =>
      list(at(placed.object, 'spec.routes')).flatMap((route, index) => {
        const names = list(map(route).middlewares).map((item) => text(map(item).name));
        return ['rate-limit', 'security-headers']
          .filter((needed) => !names.some((name) => name.startsWith(needed)))
          .map((needed) => complain(placed, `spec.routes[${index}].middlewares`, `lacks ${needed}`));
      }),
  ),
  objectRule(
    'rate-limit-source',
    'Behind the tunnel every client has the address of cloudflared',
    ['Middleware'],
    (placed) => {
      const limit = at(placed.object, 'spec.rateLimit');
      return limit !== undefined && at(limit, 'sourceCriterion.requestHeaderName') !== 'Cf-Connecting-Ip'
        ? [
            complain(
              placed,
              'spec.rateLimit.sourceCriterion.requestHeaderName',
              'must be Cf-Connecting-Ip, else all readers share one bucket',
            ),
          ]
        : [];
    },
  ),
  {
    id: 'certificate-covers',
    why: 'A host that its certificate does not name is refused by browsers',
    check: (cluster) =>
      routesOf(cluster).flatMap((route) => {
        const secret = at(route.placed.object, 'spec.tls.secretName');
        const certificate = cluster.objects.find(
          (item) => kindOf(item) === 'Certificate' && at(item.object, 'spec.secretName') === secret,
        );
        return certificate === undefined || list(at(certificate.object, 'spec.dnsNames')).includes(route.host)
          ? []
          : [
              {
                rule: 'certificate-covers',
                ...complain(
                  route.placed,
                  `${route.field}.match`,
                  `${route.host} is not in ${nameOf(certificate)}'s dnsNames`,
                ),
              },
            ];
      }),
  },
  {
    id: 'tunnel-hosts',
    why: 'A host is reachable when the tunnel and Traefik both know it',
    check: (cluster) => {
      const tunnel = tunnelHosts(cluster);
      if (tunnel === undefined) return [];
      const routed = new Set(routesOf(cluster).map((route) => route.host));
      const missing = [...routed]
        .filter((host) => !tunnel.hosts.includes(host))
        .map((host) => `${host} has a route but no rule here`);
      const dead = tunnel.hosts.filter((host) => !routed.has(host)).map((host) => `${host} has a rule but no route`);
      return [...missing, ...dead].map((message) => ({
        rule: 'tunnel-hosts',
        ...complain(tunnel.placed, 'data[config.yaml].ingress', message),
      }));
    },
  },
];
