import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import { contradictions } from './agreement.ts';
import { secretNeeds } from './data.ts';
import { exampleValues } from './example-values.ts';
import { type JsonMap, map, text } from './manifest.ts';
import { exampleRecipient } from './sealed.ts';
import { encryptSecret } from './sops.ts';
import { repository } from './tools.ts';

const USAGE = `npm run cluster:seal -- --environment dev|staging|prod --recipient age1... --values FILE
FILE is YAML kept outside of the repository: "namespace/name": {key: value}. Every Secret of check/data/secrets.yaml must be in it.
With --example instead of both: the example values, sealed to the example key that anybody can open.`;

/** What a values file lacks, and where its values contradict each other; empty where it is right. */
export function wrongValues(values: JsonMap): string[] {
  const missing = secretNeeds.flatMap(({ namespace, name, keys }) =>
    keys
      .filter((key) => text(map(values[`${namespace}/${name}`])[key]) === '')
      .map((key) => `${namespace}/${name}: ${key} is missing`),
  );
  return [...missing, ...contradictions(values).map(({ name, key, message }) => `${name}: ${key} ${message}`)];
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

export interface Request {
  readonly environment: string;
  readonly recipients: readonly string[];
  readonly values: JsonMap;
}

/** What the arguments ask for, or why it is refused: real values never go to the example key, nor the reverse. */
export function readRequest(args: readonly string[], read: (file: string) => JsonMap): Request | string {
  const { values } = parseArgs({
    args: [...args],
    options: {
      environment: { type: 'string' },
      recipient: { type: 'string', multiple: true },
      values: { type: 'string' },
      example: { type: 'boolean' },
    },
  });
  const { environment, recipient, values: file, example } = values;
  if (environment === undefined || (example === true) === (recipient !== undefined || file !== undefined)) return USAGE;
  if (example === true) return { environment, recipients: [exampleRecipient], values: exampleValues };
  if (recipient === undefined || file === undefined) return USAGE;
  if (recipient.includes(exampleRecipient))
    return `--recipient ${exampleRecipient} is the example key, whose private half is public; age-keygen makes your own`;
  const given = read(file);
  const wrong = wrongValues(given);
  return wrong.length === 0
    ? { environment, recipients: recipient, values: given }
    : `${file}:\n  ${wrong.join('\n  ')}`;
}

async function main(): Promise<number> {
  const request = readRequest(process.argv.slice(2), (file) => map(parse(readFileSync(file, 'utf8')) as JsonMap));
  if (typeof request === 'string') {
    console.error(request);
    return 2;
  }
  const { environment, recipients, values } = request;
  const folder = join(repository, 'cluster/environments', environment, 'secrets');
  if (!existsSync(join(folder, '../namespaces'))) throw new Error(`there is no environment ${environment}`);
  mkdirSync(folder, { recursive: true });
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  writeFileSync(join(folder, 'secrets.sops.yaml'), await sealAll(values, recipients, now));
  console.log(`sealed ${secretNeeds.length} Secrets for ${environment} to ${recipients.length} recipients`);
  return 0;
}

if (import.meta.main) process.exitCode = await main();
