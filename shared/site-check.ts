import type { Route, SiteConfig } from './site.ts';

/** One thing wrong with a configuration: where it stands, what is wrong, what to do. */
export interface ConfigProblem {
  readonly where: string;
  readonly problem: string;
}

const HOST = /^(\*|(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])$/;
const PATH = /^\/(?:[A-Za-z0-9._~-]+\/)*(?:\*|[A-Za-z0-9._~-]*)$/;

type Relation = 'disjoint' | 'equal' | 'within' | 'contains';

function hostRelation(a: string, b: string): Relation {
  if (a === b) return 'equal';
  const covers = (pattern: string, host: string): boolean =>
    pattern === '*' || (pattern.startsWith('*.') && host !== '*' && host.endsWith(pattern.slice(1)));
  if (covers(b, a)) return 'within';
  return covers(a, b) ? 'contains' : 'disjoint';
}

/** The router takes a closing slash as if it were not there. */
const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);

function pathRelation(a: string, b: string): Relation {
  if (withoutSlash(a) === withoutSlash(b)) return 'equal';
  const covers = (pattern: string, path: string): boolean => {
    if (!pattern.endsWith('/*')) return false;
    const folder = pattern.slice(0, -1);
    return path.startsWith(folder) || `${path}/` === folder;
  };
  if (covers(b, a)) return 'within';
  return covers(a, b) ? 'contains' : 'disjoint';
}

const inside = (relation: Relation): boolean => relation === 'equal' || relation === 'within';
const around = (relation: Relation): boolean => relation === 'equal' || relation === 'contains';

/** How a later route relates to an earlier one on one pair of hosts; undefined when first-match-wins is unambiguous. */
function conflict(earlier: Route, later: Route, earlierHost: string, laterHost: string): string | undefined {
  const host = hostRelation(earlierHost, laterHost);
  const path = pathRelation(earlier.path, later.path);
  if (host === 'disjoint' || path === 'disjoint') return undefined;
  const claim = `${laterHost}${later.path}`;
  if (around(host) && around(path)) {
    return `${claim} is unreachable: route "${earlier.id}" before it already takes ${earlierHost}${earlier.path}; put the narrower route first or remove one`;
  }
  if (inside(host) && inside(path)) return undefined;
  return `${claim} overlaps ${earlierHost}${earlier.path} of route "${earlier.id}" and neither contains the other; split one of them`;
}

function overlaps(routes: readonly Route[]): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  routes.forEach((later, index) => {
    for (const earlier of routes.slice(0, index)) {
      for (const laterHost of later.hosts) {
        for (const earlierHost of earlier.hosts) {
          const problem = conflict(earlier, later, earlierHost, laterHost);
          if (problem !== undefined) problems.push({ where: `routes[${index}] "${later.id}"`, problem });
        }
      }
    }
  });
  return problems;
}

function routeProblems(site: SiteConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const seen = new Set<string>();
  site.routes.forEach((route, index) => {
    const where = `routes[${index}] "${route.id}"`;
    const say = (problem: string): number => problems.push({ where, problem });
    if (!/^[a-z][a-z0-9-]*$/.test(route.id))
      say('id must be lower-case letters, digits and dashes: it is part of every cache key');
    if (seen.has(route.id)) say('id is used twice; every route needs its own');
    seen.add(route.id);
    if (route.hosts.length === 0) say('hosts is empty; name at least one host');
    for (const host of route.hosts)
      if (!HOST.test(host)) say(`host "${host}" is not a lower-case host name without port, "*.name" or "*"`);
    if (!PATH.test(route.path)) say(`path "${route.path}" must be "/*", "/folder/*" or "/file"`);
    if (route.to !== 'status' && !Object.hasOwn(site.upstreams, route.to)) {
      say(`goes to "${route.to}", which is no upstream; known: ${Object.keys(site.upstreams).join(', ') || 'none'}`);
    }
  });
  return problems;
}

function originProblem(value: string): string | undefined {
  const match = /^https?:\/\/(?:\[[0-9a-f:.]+\]|[^/?#@:\s]+)(?::(\d{1,5}))?\/?$/i.exec(value);
  return match && Number(match[1] ?? 80) <= 65_535
    ? undefined
    : `"${value}" must be http(s)://host[:port] without user, path or query`;
}

function upstreamProblems(site: SiteConfig): ConfigProblem[] {
  return Object.entries(site.upstreams).flatMap(([name, upstream]) => {
    const fields = { url: upstream.url, publicOrigin: upstream.publicOrigin };
    return Object.entries(fields).flatMap(([key, value]) => {
      const problem = originProblem(value);
      return problem === undefined ? [] : [{ where: `upstreams.${name}.${key}`, problem }];
    });
  });
}

function ruleProblems(site: SiteConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  site.freshness.forEach((rule, index) => {
    const where = `freshness[${index}] "${rule.type}"`;
    if (!/^[a-z]+\/(\*|[a-z0-9.+-]+)$/.test(rule.type))
      problems.push({ where, problem: 'type must be a media type such as "text/html" or "image/*"' });
    for (const key of ['fresh', 'whileRevalidate', 'ifError'] as const) {
      if (!Number.isInteger(rule[key]) || rule[key] < 0)
        problems.push({ where, problem: `${key} must be a whole number of seconds, not ${rule[key]}` });
    }
  });
  for (const name of site.keyedHeaders) {
    if (!/^[a-z][a-z0-9-]*$/.test(name))
      problems.push({ where: 'keyedHeaders', problem: `"${name}" is not a lower-case field name` });
    if (name === 'cookie' || name === 'authorization')
      problems.push({ where: 'keyedHeaders', problem: `"${name}" is personal and never part of a key` });
  }
  return problems;
}

/** Everything wrong with a site, or an empty list. Overlapping and unreachable routes are problems too. */
export function validateSite(site: SiteConfig): readonly ConfigProblem[] {
  return [...upstreamProblems(site), ...routeProblems(site), ...overlaps(site.routes), ...ruleProblems(site)];
}

/** One message that lists every problem. */
export function describeProblems(what: string, problems: readonly ConfigProblem[]): string {
  const lines = problems.map(({ where, problem }) => `  - ${where}: ${problem}`);
  return `${what} has ${problems.length} ${problems.length === 1 ? 'error' : 'errors'}:\n${lines.join('\n')}`;
}
