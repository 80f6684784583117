import { Environment } from '@marcbachmann/cel-js';
import { complain, type Finding, isMap, type Json, type JsonMap, list, map, type Placed, text } from './manifest.ts';

type Evaluate = (context: { self: unknown }) => unknown;

const environment = new Environment({ unlistedVariablesAreDyn: true });
const parsed = new Map<string, Evaluate | undefined>();

function compile(rule: string): Evaluate | undefined {
  if (!parsed.has(rule)) {
    try {
      parsed.set(rule, environment.parse(rule));
    } catch {
      parsed.set(rule, undefined);
    }
  }
  return parsed.get(rule);
}

/** CEL's integers are not its doubles: whole numbers become BigInt. */
function toCel(value: Json): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toCel(inner)])) : value;
}

function evaluate(rule: string, self: Json): boolean | undefined {
  const program = compile(rule);
  if (program === undefined) return undefined;
  try {
    return program({ self: toCel(self) }) !== false;
  } catch {
    return undefined;
  }
}

/**
 * Runs a schema's `x-kubernetes-validations` over an object. Transition rules (`oldSelf`) need a former object and do
 * not apply to a manifest; what the evaluator cannot run is counted, never passed over in silence.
 */
export function celFindings(
  schema: JsonMap,
  object: JsonMap,
  placed: Placed,
  tally: { ran: number; skipped: Set<string> },
): Finding[] {
  const found: Finding[] = [];
  const visit = (part: JsonMap, value: Json | undefined, path: string): void => {
    if (value === undefined || value === null) return;
    for (const item of list(part['x-kubernetes-validations'])) {
      const rule = text(map(item).rule);
      if (rule.includes('oldSelf')) continue;
      const result = evaluate(rule, value);
      if (result === undefined) tally.skipped.add(rule);
      else tally.ran++;
      if (result === false)
        found.push({
          rule: 'schema-cel',
          ...complain(placed, path === '' ? '(root)' : path, text(map(item).message) || rule),
        });
    }
    const below = (key: string) => (path === '' ? key : `${path}.${key}`);
    if (isMap(value)) {
      for (const [key, inner] of Object.entries(value)) {
        const next = map(part.properties)[key] ?? part.additionalProperties;
        if (isMap(next)) visit(next, inner, below(key));
      }
    }
    if (Array.isArray(value) && isMap(part.items))
      for (const [index, inner] of value.entries()) visit(part.items, inner, `${path}[${index}]`);
  };
  visit(schema, object, '');
  return found;
}
