import { secretNeeds } from '../data.ts';
import {
  at,
  complain,
  type JsonMap,
  kindOf,
  map,
  nameOf,
  namespaceOf,
  objectRule,
  type Placed,
  type Rule,
  text,
} from '../manifest.ts';

const CIPHER =
  /^ENC\[AES256_GCM,data:[A-Za-z0-9+/=]*,iv:[A-Za-z0-9+/=]+,tag:[A-Za-z0-9+/=]+,type:(str|int|float|bool|bytes)\]$/;

/** Secrets that something reads and the environment does not hold yet. */
export function awaited(objects: readonly Placed[]): string[] {
  const held = new Set(
    objects.filter((placed) => kindOf(placed) === 'Secret').map((placed) => `${namespaceOf(placed)}/${nameOf(placed)}`),
  );
  return secretNeeds.map((need) => `${need.namespace}/${need.name}`).filter((name) => !held.has(name));
}

const values = (object: JsonMap): [string, string][] =>
  (['data', 'stringData'] as const).flatMap((part) =>
    Object.entries(map(object[part])).map(([key, value]): [string, string] => [`${part}.${key}`, text(value)]),
  );

export const secretRules: readonly Rule[] = [
  objectRule('secret-encrypted', 'Git remembers for ever', ['Secret'], (placed) =>
    values(placed.object)
      .filter(([, value]) => !CIPHER.test(value))
      .map(([field]) => complain(placed, field, 'is not encrypted; npm run cluster:seal')),
  ),
  objectRule('secret-recipients', 'A file that nobody can open is not a secret but a loss', ['Secret'], (placed) =>
    values(placed.object).length > 0 && !Array.isArray(at(placed.object, 'sops.age'))
      ? [complain(placed, 'sops.age', 'names no recipient; npm run cluster:seal')]
      : [],
  ),
  objectRule('secret-known', 'A Secret that nothing reads is forgotten, not kept', ['Secret'], (placed) => {
    const need = secretNeeds.find((item) => item.namespace === namespaceOf(placed) && item.name === nameOf(placed));
    if (need === undefined)
      return [complain(placed, 'metadata.name', 'is read by nothing; add it to check/data/secrets.yaml or remove it')];
    const keys = values(placed.object).map(([field]) => field.slice(field.indexOf('.') + 1));
    return need.keys
      .filter((key) => !keys.includes(key))
      .map((key) => complain(placed, `stringData.${key}`, 'is missing'));
  }),
  objectRule(
    'config-holds-no-secret',
    'A ConfigMap is readable by whoever reads the namespace',
    ['ConfigMap'],
    (placed) =>
      Object.entries(map(placed.object.data))
        .filter(([, value]) =>
          /-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-1|postgres(ql)?:\/\/[^:@\s]+:[^@\s]+@/.test(text(value)),
        )
        .map(([key]) => complain(placed, `data.${key}`, 'holds a key or a password; move it to a Secret')),
  ),
];
