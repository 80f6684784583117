import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import { secretNeeds } from './data.ts';
import { type JsonMap, map, text } from './manifest.ts';
import { encryptSecret } from './sops.ts';
import { repository } from './tools.ts';

const USAGE = `npm run cluster:seal -- --environment staging|prod --recipient age1... --values FILE
FILE is YAML kept outside of the repository: "namespace/name": {key: value}. Every Secret of check/data/secrets.yaml must be in it.`;

/** What a values file lacks; empty where it is complete. */
export function missingValues(values: JsonMap): string[] {
  return secretNeeds.flatMap(({ namespace, name, keys }) =>
    keys
      .filter((key) => text(map(values[`${namespace}/${name}`])[key]) === '')
      .map((key) => `${namespace}/${name}: ${key}`),
  );
}

/** The environment's Secrets as one multi-document file and the kustomization that takes it. */
export async function sealAll(values: JsonMap, recipients: readonly string[], now: string): Promise<string> {
  const sealed = await Promise.all(
    secretNeeds.map(({ namespace, name, keys }) => {
      const given = map(values[`${namespace}/${name}`]);
      const stringData = Object.fromEntries(keys.map((key) => [key, text(given[key])]));
      return encryptSecret(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type: 'Opaque', stringData },
        recipients,
        now,
      );
    }),
  );
  return sealed.map((secret) => `---\n${stringify(secret, { lineWidth: 0 })}`).join('');
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      environment: { type: 'string' },
      recipient: { type: 'string', multiple: true },
      values: { type: 'string' },
    },
  });
  if (values.environment === undefined || values.recipient === undefined || values.values === undefined) {
    console.error(USAGE);
    return 2;
  }
  const given = map(parse(readFileSync(values.values, 'utf8')) as JsonMap);
  const missing = missingValues(given);
  if (missing.length > 0) {
    console.error(`${values.values} lacks:\n  ${missing.join('\n  ')}`);
    return 1;
  }
  const folder = join(repository, 'cluster/environments', values.environment, 'secrets');
  const stage = join(folder, '../namespaces/kustomization.yaml');
  if (!existsSync(stage)) throw new Error(`there is no environment ${values.environment}`);
  mkdirSync(folder, { recursive: true });
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  writeFileSync(join(folder, 'secrets.sops.yaml'), await sealAll(given, values.recipient, now));
  writeFileSync(
    join(folder, 'kustomization.yaml'),
    '---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [secrets.sops.yaml]\n',
  );
  const resources = readFileSync(stage, 'utf8');
  if (!resources.includes('../secrets'))
    writeFileSync(stage, resources.replace('resources: [', 'resources: [../secrets, '));
  console.log(
    `sealed ${secretNeeds.length} Secrets for ${values.environment} to ${values.recipient.length} recipients`,
  );
  return 0;
}

if (import.meta.main) process.exitCode = await main();
