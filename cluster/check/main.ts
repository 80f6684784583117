import { parseArgs } from 'node:util';
import { components, machines } from './data.ts';
import { applyExceptions, readExceptions } from './exceptions.ts';
import type { Cluster, Finding } from './manifest.ts';
import { alertFindings, amtool, blackbox, lint, promtool } from './monitoring.ts';
import { demand } from './policy/budget.ts';
import { unpinned } from './policy/images.ts';
import { allRules, partRules } from './policy/index.ts';
import { awaited } from './policy/secrets.ts';
import { countQueries, knownMetrics, queryFindings } from './queries.ts';
import { ENVIRONMENTS, render, renderCombinations, renderEnvironment } from './render.ts';
import { openSchemas, schemaFolder } from './schema.ts';

const USAGE = 'npm run cluster:check [-- --schemas DIR]';
const gib = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} Gi`;

function describe(cluster: Cluster): string {
  const asked = demand(cluster);
  const host = machines[cluster.environment];
  return `${cluster.environment}: ${cluster.objects.length} objects; asks ${asked.cpu.toFixed(1)} of ${host?.cpu} cores, ${gib(asked.memory)} + ${gib(asked.gpuMemory)} GPU of ${host?.memory}, ${gib(asked.storage)} of ${host?.storage} disk`;
}

function waiting(clusters: readonly Cluster[]): string[] {
  const images = [...new Set(clusters.flatMap(({ objects }) => unpinned(objects)))].sort();
  return [
    ...(images.length === 0
      ? []
      : [
          `unpinned: run npm run cluster:pin, which writes the digests of ${images.length} images: ${images.join(', ')}`,
        ]),
    ...clusters.flatMap(({ environment, objects }) => {
      const names = awaited(objects);
      return names.length === 0
        ? []
        : [
            `unsealed: ${environment} waits for ${names.length} Secrets: run npm run cluster:seal -- --environment ${environment}`,
          ];
    }),
  ];
}

async function main(): Promise<number> {
  const started = performance.now();
  const { values } = parseArgs({ options: { schemas: { type: 'string' } } });
  const folder = schemaFolder(values.schemas);
  const schemas = folder === undefined ? undefined : openSchemas(folder);
  const clusters = await Promise.all(ENVIRONMENTS.map(renderEnvironment));
  const argocd: Cluster = { environment: 'prod', objects: await render('cluster/gitops/argocd') };
  const combinations = (
    await Promise.all(
      ENVIRONMENTS.map(async (environment) => {
        const stages = [];
        for (const stage of Object.keys(components)) stages.push(...(await renderCombinations(environment, stage)));
        return stages;
      }),
    )
  ).flat();

  const findings: Finding[] = [];
  const metrics = knownMetrics();
  for (const cluster of clusters) {
    findings.push(...allRules.flatMap((rule) => rule.check(cluster)), ...queryFindings(cluster.objects, metrics));
  }
  for (const { objects } of combinations)
    findings.push(...partRules.flatMap((rule) => rule.check({ environment: 'prod', objects })));
  let validated = 0;
  if (schemas !== undefined) {
    for (const placed of [...clusters, argocd, ...combinations].flatMap(({ objects }) => objects)) {
      findings.push(...schemas.check(placed));
      validated++;
    }
  }
  const prod = clusters.find(({ environment }) => environment === 'prod')?.objects ?? [];
  findings.push(...alertFindings(prod));
  const tools = [...(await Promise.all([promtool(prod), amtool(prod), blackbox(prod), lint()])).flat()];
  findings.push(...tools.flatMap((tool) => tool.findings));

  const open = applyExceptions(findings, readExceptions());
  const unique = [...new Map(open.map((item) => [JSON.stringify(item), item])).values()];
  for (const cluster of clusters) console.log(describe(cluster));
  console.log(
    `${combinations.length} combinations of components; ${allRules.length} rules; ${countQueries(prod)} queries against ${metrics.size} known metrics`,
  );
  console.log(
    schemas === undefined
      ? `schemas: SKIPPED, no folder of them (${USAGE}, or CLUSTER_SCHEMAS)`
      : `schemas: ${validated} objects validated, ${schemas.cel.ran} CEL evaluations, ${schemas.cel.skipped.size} CEL rules that cannot run offline${schemas.unknown.size === 0 ? '' : `, no schema for ${[...schemas.unknown].join(', ')}`}`,
  );
  for (const tool of tools) console.log(tool.summary);
  for (const line of waiting(clusters)) console.log(line);
  for (const item of unique)
    console.error(`${item.file}: ${item.object}: ${item.field}: ${item.message} [${item.rule}]`);
  console.log(
    `${unique.length === 0 ? 'ok' : `${unique.length} findings`} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return unique.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  // Not rethrown: renders under way still remove their folders.
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
