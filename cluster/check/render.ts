import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { components } from './data.ts';
import { at, type Cluster, type JsonMap, list, map, type Placed, text } from './manifest.ts';
import { packaged, repository, run, scratch } from './tools.ts';

const ORIGIN = 'config.kubernetes.io/origin';
export const ENVIRONMENTS = ['dev', 'staging', 'prod'] as const;

/** Splits YAML into objects; the file is the origin that kustomize noted, or the one given. */
export function parseObjects(yaml: string, file: string, overlay = ''): Placed[] {
  return parseAllDocuments(yaml).flatMap((document) => {
    if (document.errors.length > 0) throw new Error(`${file}: ${document.errors[0]?.message}`);
    const object = document.toJS({ maxAliasCount: 100 }) as JsonMap | null;
    if (object === null) return [];
    const annotations = map(at(object, 'metadata.annotations'));
    const origin = map(parse(text(annotations[ORIGIN])) as JsonMap | null);
    delete annotations[ORIGIN];
    if (Object.keys(annotations).length === 0) delete map(object.metadata).annotations;
    const path = text(origin.path ?? origin.configuredIn);
    return [{ object, file: path === '' ? file : relative(repository, resolve(overlay, path)) }];
  });
}

/** `kubectl kustomize` of a folder, each object with its file. Throws kustomize's own words. */
export async function render(folder: string, extra: JsonMap = {}): Promise<Placed[]> {
  mkdirSync(scratch, { recursive: true });
  const overlay = mkdtempSync(join(scratch, 'overlay-'));
  try {
    const kustomization = {
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      buildMetadata: ['originAnnotations'],
      resources: [relative(overlay, join(repository, folder))],
      ...extra,
    };
    writeFileSync(join(overlay, 'kustomization.yaml'), stringify(kustomization));
    const ran = await run(packaged('kubectl'), ['kustomize', overlay]);
    if (ran.code !== 0) throw new Error(`${folder} does not render: ${ran.err.trim()}`);
    return parseObjects(ran.out, folder, overlay);
  } finally {
    rmSync(overlay, { recursive: true, force: true });
  }
}

export async function renderEnvironment(environment: string): Promise<Cluster> {
  return { environment, objects: await render(`cluster/environments/${environment}`) };
}

/** Every choice of one option, or none, from each list. */
export function choices(lists: readonly (readonly string[])[]): string[][] {
  return lists.reduce<string[][]>(
    (sofar, options) => sofar.flatMap((chosen) => [chosen, ...options.map((option) => [...chosen, option])]),
    [[]],
  );
}

export interface Combination {
  readonly name: string;
  readonly objects: readonly Placed[];
}

/** A stage of an environment with each combination of the options that it can take, its own choice replaced. */
export async function renderCombinations(environment: string, stage: string): Promise<Combination[]> {
  const folder = join(repository, 'cluster/environments', environment, stage);
  const original = map(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as JsonMap);
  const fixed = list(original.components)
    .map(text)
    .filter((path) => !path.includes('/components/'));
  const copy = `.cache-${process.pid}-${stage}`;
  const here = join(repository, 'cluster/environments', environment, copy);
  const results: Combination[] = [];
  mkdirSync(here, { recursive: true });
  try {
    for (const chosen of choices(components[stage] ?? [])) {
      const kustomization = {
        ...original,
        // Digests first, as in the environments: an option may choose another tag.
        components: [...fixed, ...chosen.map((name) => `../../../components/${name}`)],
      };
      writeFileSync(join(here, 'kustomization.yaml'), stringify(kustomization));
      for (const file of stage === 'configs' && environment === 'staging' ? ['tunnel.yaml'] : []) {
        writeFileSync(join(here, file), readFileSync(join(folder, file)));
      }
      const name = `${environment}/${stage}${chosen.map((option) => `+${option}`).join('')}`;
      results.push({ name, objects: await render(`cluster/environments/${environment}/${copy}`) });
    }
    return results;
  } finally {
    rmSync(here, { recursive: true, force: true });
  }
}
