import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Finding, identity, type Placed, text } from '../../cluster/check/manifest.ts';
import { alertFindings } from '../../cluster/check/monitoring.ts';
import { allRules } from '../../cluster/check/policy/index.ts';
import { knownMetrics, queryFindings } from '../../cluster/check/queries.ts';
import { parseObjects, renderEnvironment } from '../../cluster/check/render.ts';
import { openSchemas, schemaFolder, schemaPath } from '../../cluster/check/schema.ts';

/** Each file says in its second line what must be found: `# expect: rule | object | field`. */
const FOLDER = new URL('broken/', import.meta.url);
const folder = schemaFolder(undefined);
const schemas = folder === undefined ? undefined : openSchemas(folder);
const metrics = knownMetrics();
if (schemas === undefined) console.log('no folder of schemas: the schema cases of test/cluster/broken are left out');

/** A public catalogue has the custom kinds only. */
function hasSchema(source: string): boolean {
  const [, version = '', kind = ''] = /^apiVersion: (.*)\nkind: (.*)$/m.exec(source) ?? [];
  return folder !== undefined && existsSync(join(folder, schemaPath(version, kind)));
}

const cases = readdirSync(FOLDER)
  .map((name) => {
    const source = readFileSync(new URL(name, FOLDER), 'utf8');
    const [rule = '', object = '', field = ''] = (/^# expect: (.*)$/m.exec(source)?.[1] ?? '').split(' | ');
    return { name, source, rule, object, field, file: `test/cluster/broken/${name}` };
  })
  .filter(({ rule, source }) => !rule.startsWith('schema') || hasSchema(source));

let prod: readonly Placed[] = [];
beforeAll(async () => {
  prod = (await renderEnvironment('prod')).objects;
});

/** Generated names carry a hash that a hand-written replacement does not. */
const key = (placed: Placed): string =>
  `${text(placed.object.apiVersion)} ${identity(placed).replace(/-[a-z0-9]{10}$/, '')}`;

/** What the check says of prod with these objects added, or put in the place of those with their names. */
function findingsWith(wrong: readonly Placed[]): Finding[] {
  const replaced = new Set(wrong.map(key));
  const objects = [...prod.filter((placed) => !replaced.has(key(placed))), ...wrong];
  return [
    ...allRules.flatMap((rule) => rule.check({ environment: 'prod', objects })),
    ...queryFindings(wrong, metrics),
    ...alertFindings(wrong),
    ...(schemas === undefined ? [] : wrong.flatMap((placed) => schemas.check(placed))),
  ];
}

describe('a wrong manifest is caught', () => {
  test('there are at least forty of them, each expecting something', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
    expect(cases.filter(({ rule, object, field }) => rule === '' || object === '' || field === '')).toEqual([]);
  });

  test.each(cases)('$name: $rule', ({ source, file, rule, object, field }) => {
    const found = findingsWith(parseObjects(source, file));
    const where = rule === 'machine-budget' ? 'cluster/check/data/machines.yaml' : file;
    expect(found).toContainEqual(expect.objectContaining({ rule, object, field, file: where }));
    expect(found.find((finding) => finding.rule === rule)?.message).toMatch(/\w/);
  });

  test('every rule has a manifest that breaks it', () => {
    const broken = new Set(cases.map(({ rule }) => rule));
    expect(allRules.map(({ id }) => id).filter((id) => !broken.has(id))).toEqual([]);
  });
});
