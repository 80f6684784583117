export interface Asked {
  readonly model: string;
  readonly system: string;
  readonly user: string;
  /** `format`: a JSON schema, `"json"`, or nothing. */
  readonly schema: unknown;
  readonly seed: number | null;
}

/** What the model writes. */
export type Answer = (asked: Asked) => string;

interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
}

/** Words that follow `at` in the prompt, without links and handles: an answer made of what was said. */
function wordsAt(prompt: string, at: number, limit: number): string {
  const words = (prompt.slice(at, at + 400).match(/https?:\S+|@\w+|[\p{L}\p{N}']{3,}/gu) ?? [])
    .filter((word) => !/^(?:https?:|@)/.test(word))
    .slice(1, 12);
  return `${words.join(' ') || 'Several commenters discuss the post'}.`.slice(0, limit);
}

/** The ids a schema allows: listed in it, or what fits its pattern in the prompt. */
export function idsOf(items: Schema, prompt: string): string[] {
  if (items.enum !== undefined) return items.enum.filter((id) => typeof id === 'string');
  const pattern = items.pattern?.replace(/^\^|\$$/g, '') ?? '(?<=\\[|"id":\\s?")[\\w-]{1,64}(?=\\]|")';
  return [...new Set(prompt.match(new RegExp(pattern, 'gu')) ?? [])];
}

const find = (schema: Schema, name: string): Schema | undefined =>
  schema.properties?.[name] ?? (schema.items === undefined ? undefined : find(schema.items, name));

/** Points that share out all ids, as many as the schema allows. */
function points(schema: Schema, prompt: string): unknown[] {
  const items = schema.items ?? {};
  const idsSchema = find(items, 'commentIds');
  const ids = idsOf(idsSchema?.items ?? {}, prompt);
  const count = Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? 4, Math.max(1, ids.length), 4));
  const each = Math.min(Math.max(1, Math.ceil(ids.length / count)), idsSchema?.maxItems ?? Number.POSITIVE_INFINITY);
  return Array.from({ length: count }, (_, index) => {
    const commentIds = ids.slice(index * each, (index + 1) * each);
    const text = wordsAt(
      prompt,
      Math.max(0, prompt.indexOf(commentIds[0] ?? '')),
      items.properties?.text?.maxLength ?? 200,
    );
    const whole: Record<string, unknown> = { text, commentIds };
    return Object.fromEntries(
      Object.entries(items.properties ?? {}).map(([name, one]) => [name, whole[name] ?? value(one, name, prompt)]),
    );
  });
}

function value(schema: Schema, name: string, prompt: string): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (name === 'points' && schema.type === 'array') return points(schema, prompt);
  if (schema.properties !== undefined || schema.type === 'object') {
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([key, one]) => [key, value(one, key, prompt)]),
    );
  }
  if (schema.type === 'array') {
    const ids = name === 'commentIds' ? idsOf(schema.items ?? {}, prompt) : [];
    return ids.length > 0 ? ids.slice(0, schema.maxItems ?? ids.length) : [value(schema.items ?? {}, name, prompt)];
  }
  if (schema.type === 'integer' || schema.type === 'number') return schema.minimum ?? 1;
  if (schema.type === 'boolean') return false;
  return wordsAt(prompt, Math.floor(prompt.length / 3), schema.maxLength ?? 240);
}

/** Valid JSON for the schema: a `summary` in words of the prompt, and `points` that cite every id found. Without one: text. */
export const defaultAnswer: Answer = ({ schema, user }) => {
  if (schema === null || typeof schema !== 'object') return wordsAt(user, 0, 240);
  return JSON.stringify(value(schema, '', user));
};

const TYPES = new Set(['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']);

/** The first type of a schema that no grammar can be made of, or null. */
export function unknownType(schema: unknown): string | null {
  if (schema === null || typeof schema !== 'object') return null;
  const { type, properties, items } = schema as Schema;
  if (typeof type === 'string' && !TYPES.has(type)) return type;
  for (const inner of [...Object.values(properties ?? {}), ...(items === undefined ? [] : [items])]) {
    const found = unknownType(inner);
    if (found !== null) return found;
  }
  return null;
}
