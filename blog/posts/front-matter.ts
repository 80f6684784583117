import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { type FieldReading, readDate, readFlag, readSlug, readTags, readText } from './front-matter-fields.ts';
import type { Problem } from './problem.ts';

/** What a post says about itself. Times are epoch milliseconds. */
export interface FrontMatter {
  readonly title: string;
  readonly slug: string;
  readonly excerpt: string;
  readonly tags: readonly string[];
  readonly date: number;
  /** Absent when the post was never updated. */
  readonly updated?: number;
  readonly draft: boolean;
}

export type FrontMatterResult =
  | { readonly ok: true; readonly value: FrontMatter; readonly body: string; readonly bodyLine: number }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const FENCE = /^---[ \t]*$/;
const REQUIRED = ['title', 'date', 'tags', 'excerpt', 'slug'] as const;
const FIELDS: readonly string[] = [...REQUIRED, 'updated', 'draft'];

/**
 * Splits a post into its YAML front matter and Markdown body, and validates every field.
 * All problems are listed at once, each with its line in the file.
 */
export function parseFrontMatter(file: string, source: string): FrontMatterResult {
  const lines = source.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (!FENCE.test(lines[0] ?? '')) {
    return failed(file, 1, 'the file must begin with a line "---"; put title, date, tags, excerpt and slug below it');
  }
  const end = lines.findIndex((line, index) => index > 0 && FENCE.test(line));
  if (end < 0) return failed(file, 1, 'the opening "---" is never closed; add a line "---" after the last field');

  const counter = new LineCounter();
  const document = parseDocument(lines.slice(1, end).join('\n'), { lineCounter: counter, prettyErrors: false });
  const lineAt = (offset: number) => counter.linePos(offset).line + 1;
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      line: lineAt(error.pos[0]),
      field: 'front matter',
      message: `not valid YAML: ${error.message.split('\n')[0]}`,
    }));
    return { ok: false, problems };
  }
  if (!isMap(document.contents)) return failed(file, 2, 'must be "field: value" lines');
  const checked = checkFields(file, document.contents, lineAt);
  if (!checked.ok) return checked;
  return { ok: true, value: checked.value, body: lines.slice(end + 1).join('\n'), bodyLine: end + 1 };
}

function failed(file: string, line: number, message: string): FrontMatterResult {
  return { ok: false, problems: [{ file, line, field: 'front matter', message }] };
}

type Checked = { readonly ok: true; readonly value: FrontMatter } | { ok: false; problems: readonly Problem[] };

function checkFields(file: string, map: YAMLMap, lineAt: (offset: number) => number): Checked {
  const problems: Problem[] = [];
  const values = new Map<string, { value: unknown; line: number }>();
  for (const pair of map.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '(not a name)';
    const line = isScalar(pair.key) && pair.key.range ? lineAt(pair.key.range[0]) : 1;
    if (FIELDS.includes(key)) values.set(key, { value: plain(pair.value), line });
    else problems.push({ file, line, field: key, message: `unknown field; the fields are ${FIELDS.join(', ')}` });
  }
  const read = <T>(field: string, reader: (value: unknown) => FieldReading<T>): T | undefined => {
    const given = values.get(field);
    if (given === undefined) return undefined;
    const reading = reader(given.value);
    if (reading.ok) return reading.value;
    problems.push({ file, line: given.line, field, message: reading.message });
    return undefined;
  };
  for (const field of REQUIRED) {
    if (!values.has(field)) problems.push({ file, line: 1, field, message: `missing; add a line "${field}: ..."` });
  }
  const title = read('title', (value) => readText(value, 200));
  const slug = read('slug', readSlug);
  const excerpt = read('excerpt', (value) => readText(value, 400));
  const tags = read('tags', readTags);
  const date = read('date', readDate);
  const updated = read('updated', readDate);
  const draft = read('draft', readFlag) ?? false;
  if (date !== undefined && updated !== undefined && updated < date) {
    const line = values.get('updated')?.line ?? 1;
    problems.push({ file, line, field: 'updated', message: 'lies before date; correct one of the two' });
  }
  if (problems.length > 0 || !title || !slug || !excerpt || !tags || date === undefined) {
    return { ok: false, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) };
  }
  return {
    ok: true,
    value: { title, slug, excerpt, tags, date, draft, ...(updated === undefined ? {} : { updated }) },
  };
}

/** Scalars and flat lists only: an alias or nested map becomes `undefined`, which no field accepts. */
function plain(node: unknown): unknown {
  if (isScalar(node)) return node.value;
  if (isSeq(node)) return node.items.map((item) => (isScalar(item) ? item.value : undefined));
  return undefined;
}
