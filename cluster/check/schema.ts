import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { celFindings } from './cel.ts';
import { complain, type Finding, type JsonMap, kindOf, type Placed, text } from './manifest.ts';
import { repository } from './tools.ts';

/** Where a kind's schema is: `<group>/<kind>_<version>.json`; the core group is `core`, `*.k8s.io` groups keep their name. */
export function schemaPath(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? 'core' : apiVersion.slice(0, slash);
  return `${group}/${kind.toLowerCase()}_${apiVersion.slice(slash + 1)}.json`;
}

/** JavaScript has no inline flags: `(?i)` spells out both cases of every letter instead. */
export function translatePattern(pattern: string): string {
  if (!pattern.includes('(?i)')) return pattern;
  return pattern
    .replaceAll('(?i)', '')
    .replace(/\\.|[a-z]/gi, (part) => (part.length > 1 ? part : `[${part.toLowerCase()}${part.toUpperCase()}]`));
}

/** Patterns without inline flags; `nullable` only beside a type, without which Ajv refuses it and it says nothing. */
export function translate(key: string, value: unknown): unknown {
  if (key === 'pattern' && typeof value === 'string') return translatePattern(value);
  if (typeof value !== 'object' || value === null || !('nullable' in value) || 'type' in value) return value;
  const { nullable, ...rest } = value;
  return typeof nullable === 'boolean' ? rest : value;
}

interface Known {
  readonly schema: JsonMap;
  readonly validate: ValidateFunction;
}

export interface Schemas {
  check(placed: Placed): Finding[];
  /** Kinds that were met and have no schema. */
  readonly unknown: Set<string>;
  /** CEL rules that ran, and those that the evaluator cannot run. */
  readonly cel: { ran: number; readonly skipped: Set<string> };
}

/** The folder of schemas: the option, else the environment, else the one beside the repository; undefined where none is. */
export function schemaFolder(option: string | undefined): string | undefined {
  const named = option ?? process.env.CLUSTER_SCHEMAS;
  const folder = named === undefined ? join(repository, '../shared/schemas') : resolve(named);
  if (existsSync(folder)) return folder;
  if (named === undefined) return undefined;
  throw new Error(`--schemas: there is no folder ${folder}`);
}

export function openSchemas(folder: string): Schemas {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const known = new Map<string, Known | undefined>();
  const unknown = new Set<string>();
  const cel = { ran: 0, skipped: new Set<string>() };
  const load = (path: string): Known | undefined => {
    const file = join(folder, path);
    if (!existsSync(file)) return undefined;
    const schema = JSON.parse(readFileSync(file, 'utf8'), translate) as JsonMap;
    return { schema, validate: ajv.compile(schema) };
  };
  return {
    unknown,
    cel,
    check(placed) {
      const path = schemaPath(text(placed.object.apiVersion), kindOf(placed));
      if (!known.has(path)) known.set(path, load(path));
      const entry = known.get(path);
      if (entry === undefined) {
        unknown.add(`${text(placed.object.apiVersion)} ${kindOf(placed)}`);
        return [];
      }
      // SOPS adds its own top-level field, which the decrypting controller removes.
      const { sops: _, ...object } = placed.object;
      if (!entry.validate(object)) {
        return (entry.validate.errors ?? []).map((error) => {
          const extra =
            error.params.additionalProperty === undefined ? '' : `: "${String(error.params.additionalProperty)}"`;
          const field = error.instancePath.slice(1).replaceAll('/', '.') || '(root)';
          return { rule: 'schema', ...complain(placed, field, `${error.message ?? 'is invalid'}${extra}`) };
        });
      }
      return celFindings(entry.schema, object, placed, cel);
    },
  };
}

/** What --require-schemas refuses: no schemas at all, or a custom kind without one; Kubernetes' own may come later. */
export function unvalidated(known: Pick<Schemas, 'unknown'> | undefined): string[] {
  if (known === undefined) return ['no schemas, which --require-schemas asks for'];
  const custom = [...known.unknown].filter(
    (kind) => /^[\w-]+(\.[\w-]+)+\//.test(kind) && !/^[\w.-]+\.k8s\.io\//.test(kind),
  );
  return custom.map((kind) => `no schema for ${kind}, which --require-schemas asks for`);
}
