import { parseArgs } from 'node:util';
import { chartFindings } from './charts.ts';
import { components, machines } from './data.ts';
import { applyExceptions, readExceptions } from './exceptions.ts';
import type { Cluster, Finding, Placed } from './manifest.ts';
import { alertFindings, amtool, blackbox, lint, promtool } from './monitoring.ts';
import { demand } from './policy/budget.ts';
import { allRules, partRules } from './policy/index.ts';
import { countQueries, knownMetrics, queryFindings } from './queries.ts';
import { type Combination, ENVIRONMENTS, render, renderCombinations, renderEnvironment } from './render.ts';
import { openSchemas, type Schemas, schemaFolder } from './schema.ts';
import { openSecrets } from './sealed.ts';
import { standing } from './standing.ts';

const USAGE = 'npm run cluster:check [-- --schemas DIR] [--strict]';
const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} Gi`;

function describe(cluster: Cluster): string {
  const asked = demand(cluster);
  const host = machines[cluster.environment];
  return `${cluster.environment}: ${cluster.objects.length} objects; asks ${asked.cpu.toFixed(1)} of ${host?.cpu} cores, ${gib(asked.memory)} + ${gib(asked.gpuMemory)} GPU of ${host?.memory}, ${gib(asked.storage)} of ${host?.storage} disk`;
}

interface Part {
  readonly findings: readonly Finding[];
  readonly summary: string;
}

/** Every rule over every environment, and those that need no whole over every combination of components. */
function policy(clusters: readonly Cluster[], combinations: readonly Combination[]): Part {
  const metrics = knownMetrics();
  const whole = clusters.flatMap((cluster) => [
    ...allRules.flatMap((rule) => rule.check(cluster)),
    ...queryFindings(cluster.objects, metrics),
  ]);
  const parts = combinations.flatMap(({ objects }) =>
    partRules.flatMap((rule) => rule.check({ environment: 'prod', objects })),
  );
  const queries = clusters.reduce((most, { objects }) => Math.max(most, countQueries(objects)), 0);
  return {
    findings: [...whole, ...parts],
    summary: `${combinations.length} combinations of components; ${allRules.length} rules; ${queries} queries against ${metrics.size} known metrics`,
  };
}

/** Every object against the schema of its kind, unknown fields refused, CEL rules evaluated. */
function validation(known: Schemas | undefined, objects: readonly Placed[]): Part {
  if (known === undefined)
    return { findings: [], summary: `schemas: SKIPPED, no folder of them (${USAGE}, or CLUSTER_SCHEMAS)` };
  const findings = objects.flatMap((placed) => known.check(placed));
  const unknown = known.unknown.size === 0 ? '' : `, no schema for ${[...known.unknown].join(', ')}`;
  return {
    findings,
    summary: `schemas: ${objects.length} objects validated, ${known.cel.ran} CEL evaluations, ${known.cel.skipped.size} CEL rules that cannot run offline${unknown}`,
  };
}

async function secrets(clusters: readonly Cluster[]): Promise<Part> {
  const results = await Promise.all(clusters.map(({ objects }) => openSecrets(objects)));
  const sum = (key: 'opened' | 'closed') => results.reduce((total, result) => total + result[key], 0);
  return {
    findings: results.flatMap(({ findings }) => findings),
    summary: `secrets: all encrypted; ${sum('opened')} opened with the example key, ${sum('closed')} sealed to other keys`,
  };
}

async function main(): Promise<number> {
  const started = performance.now();
  const { values } = parseArgs({
    options: { schemas: { type: 'string' }, charts: { type: 'string' }, strict: { type: 'boolean' } },
  });
  const folder = schemaFolder(values.schemas);
  const known = folder === undefined ? undefined : openSchemas(folder);
  const clusters = await Promise.all(ENVIRONMENTS.map(renderEnvironment));
  const argocd = (
    await Promise.all(
      ['', ...ENVIRONMENTS.map((name) => `/environments/${name}`)].map((path) =>
        render(`cluster/gitops/argocd${path}`),
      ),
    )
  ).flat();
  const stages = ENVIRONMENTS.flatMap((environment) => Object.keys(components).map((stage) => [environment, stage]));
  const combinations = (
    await Promise.all(stages.map(([environment = '', stage = '']) => renderCombinations(environment, stage)))
  ).flat();
  const everything = [...clusters, ...combinations].flatMap(({ objects }) => objects);
  const prod = clusters.find(({ environment }) => environment === 'prod')?.objects ?? [];
  const parts: Part[] = [
    policy(clusters, combinations),
    validation(known, [...everything, ...argocd]),
    await secrets(clusters),
    ...(await chartFindings(clusters, values.charts, known)),
    ...(await Promise.all([promtool(prod), amtool(prod), blackbox(prod), lint()])).flat(),
  ];
  const findings = [...alertFindings(prod), ...parts.flatMap((part) => part.findings)];
  const open = applyExceptions(findings, readExceptions());
  const unique = [...new Map(open.map((item) => [JSON.stringify(item), item])).values()];
  const notes = standing(
    clusters,
    combinations.map(({ objects }) => objects),
  );
  for (const line of [...clusters.map(describe), ...parts.map(({ summary }) => summary), ...notes]) console.log(line);
  for (const item of unique)
    console.error(`${item.file}: ${item.object}: ${item.field}: ${item.message} [${item.rule}]`);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const wrong = [
    ...(unique.length > 0 ? [`${unique.length} findings`] : []),
    ...(values.strict === true && notes.length > 0 ? [`${notes.length} notes, which --strict counts`] : []),
  ];
  console.log(`${wrong.length === 0 ? 'ok' : wrong.join(', ')} in ${seconds} s`);
  return wrong.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // Not rethrown: renders under way still remove their folders.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
