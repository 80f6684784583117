import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { charts } from './data.ts';
import { find } from './lookup.ts';
import {
  at,
  type Cluster,
  complain,
  type Finding,
  isMap,
  type JsonMap,
  kindOf,
  list,
  map,
  nameOf,
  namespaceOf,
  type Placed,
  text,
} from './manifest.ts';
import { podRules } from './policy/pods.ts';
import { parseObjects } from './render.ts';
import type { Schemas } from './schema.ts';
import { packaged, run, scratch } from './tools.ts';

/** What Pod Security `restricted` and the quotas ask of a chart's pods too; the rest is the chart's own style. */
const ASKED_OF_CHARTS = [
  'run-as-non-root',
  'seccomp',
  'no-escalation',
  'not-privileged',
  'drop-all',
  'no-added-capabilities',
  'no-host-namespaces',
  'no-host-path',
  'no-host-port',
  'requests',
  'memory-limit',
];

/** One chart as this environment installs it. */
export interface Release {
  readonly placed: Placed;
  readonly chart: string;
  readonly version: string;
  readonly values: JsonMap;
  /** Where the values are in the object. */
  readonly field: string;
}

/** Every chart that an environment installs, K3s' own Traefik included. */
export function releases(cluster: Cluster): Release[] {
  return cluster.objects.flatMap((placed): Release[] => {
    if (kindOf(placed) === 'HelmChartConfig') {
      const values = map(parse(text(at(placed.object, 'spec.valuesContent'))) as JsonMap);
      return [{ placed, chart: nameOf(placed), version: '', values, field: 'spec.valuesContent' }];
    }
    if (kindOf(placed) !== 'HelmRelease') return [];
    const values = map(at(placed.object, 'spec.values'));
    const spec = map(at(placed.object, 'spec.chart.spec'));
    const source = find(
      cluster,
      'OCIRepository',
      namespaceOf(placed),
      text(at(placed.object, 'spec.chartRef.name')),
    )?.object;
    const chart = text(spec.chart) || (text(at(source, 'spec.url')).split('/').at(-1) ?? '');
    const version = text(spec.version) || text(at(source, 'spec.ref.tag'));
    return [{ placed, chart, version, values, field: 'spec.values' }];
  });
}

const readYaml = (path: string): JsonMap => (existsSync(path) ? map(parse(readFileSync(path, 'utf8')) as JsonMap) : {});

/** Later maps win, key by key. */
export function merged(one: JsonMap, other: JsonMap): JsonMap {
  const both = Object.entries(other).map(([key, value]) => {
    const before = one[key];
    return [key, isMap(before) && isMap(value) ? merged(before, value) : value] as const;
  });
  return { ...one, ...Object.fromEntries(both) };
}

/**
 * Copies a chart and those of its dependencies that the folder has beside it; the others are left out of Chart.yaml,
 * which is right for the ones that our values switch off and shows as unknown values for the rest.
 */
function assemble(folder: string, name: string, into: string): { chart: string; defaults: JsonMap; version: string } {
  const chart = join(into, name);
  cpSync(join(folder, name), chart, { recursive: true });
  const meta = readYaml(join(chart, 'Chart.yaml'));
  let defaults = readYaml(join(chart, 'values.yaml'));
  const kept = list(meta.dependencies).filter((dependency) => {
    const part = text(map(dependency).name);
    const vendored = join(chart, 'charts', part);
    if (!existsSync(vendored) && existsSync(join(folder, part)))
      cpSync(join(folder, part), vendored, { recursive: true });
    if (!existsSync(vendored)) return false;
    const key = text(map(dependency).alias) || part;
    const own = map(defaults[key]);
    defaults = { ...defaults, [key]: merged(readYaml(join(vendored, 'values.yaml')), own) };
    return true;
  });
  // A chart's source may carry another version than the release tool writes.
  writeFileSync(join(chart, 'Chart.yaml'), stringify({ ...meta, dependencies: kept }));
  rmSync(join(chart, 'Chart.lock'), { force: true });
  return { chart, defaults, version: text(meta.version) };
}

/** Our keys that a chart's own values do not have; an empty map there takes anything. */
export function unknownKeys(values: JsonMap, defaults: JsonMap, path: string, open: readonly string[]): string[] {
  if (Object.keys(defaults).length === 0) return [];
  return Object.entries(values).flatMap(([key, value]) => {
    const here = `${path}.${key}`;
    if (open.some((suffix) => here.endsWith(`.${suffix}`))) return [];
    if (!(key in defaults)) return [here];
    const below = defaults[key];
    return isMap(value) && isMap(below) ? unknownKeys(value, below, here, open) : [];
  });
}

interface Rendered {
  readonly objects: Placed[];
  readonly findings: Finding[];
  readonly note: string;
}

async function renderChart(release: Release, folder: string): Promise<Rendered> {
  const { placed, chart, values, field } = release;
  mkdirSync(scratch, { recursive: true });
  const work = mkdtempSync(join(scratch, 'chart-'));
  try {
    const made = assemble(folder, chart, work);
    writeFileSync(join(work, 'values.yaml'), stringify(values));
    const open = list(charts['free-form']).map(text);
    const findings = unknownKeys(values, made.defaults, field, open).map((path) => ({
      rule: 'chart-values',
      ...complain(placed, path, `the chart ${chart} ${made.version} has no such value`),
    }));
    const args = ['template', nameOf(placed), made.chart, '--namespace', namespaceOf(placed)];
    const ran = await run(packaged('helm'), [...args, '--values', join(work, 'values.yaml'), '--kube-version', '1.36']);
    const note = `${chart} ${made.version}${made.version === release.version || release.version === '' ? '' : ` for ${release.version}`}`;
    if (ran.code !== 0) {
      const failed = { rule: 'chart-renders', ...complain(placed, field, ran.err.trim().slice(0, 2000)) };
      return { objects: [], findings: [...findings, failed], note };
    }
    const objects = parseObjects(ran.out, placed.file).map(({ object, file }) => ({
      file,
      object: { ...object, metadata: { namespace: namespaceOf(placed), ...map(object.metadata) } },
    }));
    return { objects, findings, note };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What data/charts.yaml says of charts that were rendered, and the charts do not bring. */
function claims(objects: readonly Placed[], namespaces: ReadonlySet<string>): Finding[] {
  const where = { rule: 'chart-brings', file: 'cluster/check/data/charts.yaml', field: 'name' };
  const services = list(charts.services).filter(
    (item) =>
      namespaces.has(text(map(item).namespace)) &&
      !objects.some(
        (placed) =>
          kindOf(placed) === 'Service' &&
          namespaceOf(placed) === text(map(item).namespace) &&
          nameOf(placed) === text(map(item).name),
      ),
  );
  return services.map((item) => ({
    ...where,
    object: `Service ${text(map(item).namespace)}/${text(map(item).name)}`,
    message: 'no rendered chart makes it',
  }));
}

/** The namespaces whose pods the API server holds to Pod Security `restricted`. */
const restrictedNamespaces = (cluster: Cluster): Set<string> =>
  new Set(
    cluster.objects
      .filter((placed) => kindOf(placed) === 'Namespace')
      .filter(({ object }) => map(at(object, 'metadata.labels'))['pod-security.kubernetes.io/enforce'] === 'restricted')
      .map(nameOf),
  );

async function renderAll(cluster: Cluster, folder: string, schemas: Schemas | undefined): Promise<Part> {
  const all = releases(cluster);
  const here = all.filter(({ chart }) => existsSync(join(folder, chart, 'Chart.yaml')));
  const left = all.filter((release) => !here.includes(release)).map(({ chart }) => chart);
  const rendered = await Promise.all(here.map((release) => renderChart(release, folder)));
  const objects = rendered.flatMap((part) => part.objects);
  const restricted = restrictedNamespaces(cluster);
  const pods = objects.filter((placed) => restricted.has(namespaceOf(placed)));
  const findings = [
    ...rendered.flatMap((part) => part.findings),
    ...podRules
      .filter(({ id }) => ASKED_OF_CHARTS.includes(id))
      .flatMap((rule) => rule.check({ ...cluster, objects: pods })),
    ...(schemas === undefined ? [] : objects.flatMap((placed) => schemas.check(placed))),
    ...claims(objects, new Set(here.map(({ placed }) => namespaceOf(placed)))),
  ];
  const names = rendered.map(({ note }) => note).join(', ');
  return {
    findings,
    summary: `charts: ${cluster.environment}: ${names}: ${objects.length} objects${left.length === 0 ? '' : `; not there: ${left.join(', ')}`}`,
  };
}

interface Part {
  readonly findings: Finding[];
  readonly summary: string;
}

/**
 * Renders every chart of each environment whose source lies in the folder (one folder a chart, dependencies beside it),
 * and holds its objects to the schemas and its pods to Pod Security.
 */
export async function chartFindings(
  clusters: readonly Cluster[],
  option: string | undefined,
  schemas: Schemas | undefined,
): Promise<Part[]> {
  if (option !== undefined) return Promise.all(clusters.map((cluster) => renderAll(cluster, resolve(option), schemas)));
  const names = new Set(clusters.flatMap(releases).map(({ chart }) => chart));
  const summary = `charts: SKIPPED, ${[...names].join(', ')} are not rendered without --charts DIR`;
  return [{ findings: [], summary }];
}
