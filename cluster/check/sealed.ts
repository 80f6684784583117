import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contradictions } from './agreement.ts';
import {
  at,
  complain,
  type Finding,
  identity,
  type JsonMap,
  kindOf,
  list,
  map,
  nameOf,
  namespaceOf,
  type Placed,
  text,
} from './manifest.ts';
import { parseObjects } from './render.ts';
import { decryptSecret } from './sops.ts';
import { repository } from './tools.ts';

const FILE = new URL('../gitops/sops/example.agekey', import.meta.url);
const file = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
/** The key whose private half is public on purpose: what is sealed to it can be opened, hence tested, anywhere. */
export const exampleRecipient: string = /age1\w+/.exec(file)?.[0] ?? '';
export const exampleIdentity: string = /AGE-SECRET-KEY-1\w+/.exec(file)?.[0] ?? '';

export const recipientsOf = (placed: Placed): string[] =>
  kindOf(placed) === 'Secret' ? list(at(placed.object, 'sops.age')).map((entry) => text(map(entry).recipient)) : [];

export interface Opened {
  readonly findings: Finding[];
  readonly opened: number;
  /** Sealed to keys that are not here. */
  readonly closed: number;
}

/** The document of a file, as it was sealed: rendering changes what the MAC covers. */
function asSealed(placed: Placed): JsonMap | undefined {
  const path = join(repository, placed.file);
  if (!placed.file.endsWith('.sops.yaml') || !existsSync(path)) return undefined;
  return parseObjects(readFileSync(path, 'utf8'), placed.file).find((item) => identity(item) === identity(placed))
    ?.object;
}

/** Opens one Secret twice: as rendered, like Flux, and as sealed, MAC included, like SOPS. */
async function openOne(placed: Placed): Promise<JsonMap> {
  const { stringData } = await decryptSecret(placed.object, exampleIdentity, false);
  const source = asSealed(placed);
  if (source !== undefined) await decryptSecret(source, exampleIdentity);
  return map(stringData);
}

/** Opens every Secret that the example key opens, and compares what must agree. */
export async function openSecrets(objects: readonly Placed[]): Promise<Opened> {
  const findings: Finding[] = [];
  const sealed = objects.filter((placed) => recipientsOf(placed).length > 0);
  const ours = sealed.filter((placed) => recipientsOf(placed).includes(exampleRecipient));
  const values: JsonMap = {};
  for (const placed of ours) {
    try {
      values[`${namespaceOf(placed)}/${nameOf(placed)}`] = await openOne(placed);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      findings.push({ rule: 'secret-opens', ...complain(placed, 'sops', `does not open: ${why}`) });
    }
  }
  for (const { name, key, message } of contradictions(values)) {
    const placed = ours.find((item) => `${namespaceOf(item)}/${nameOf(item)}` === name);
    if (placed !== undefined)
      findings.push({ rule: 'secret-agrees', ...complain(placed, `stringData.${key}`, message) });
  }
  return { findings, opened: Object.keys(values).length, closed: sealed.length - ours.length };
}
