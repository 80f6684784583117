import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';

/** A node of the syntax tree (ESTree with TypeScript), as far as the rules look at it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: Node;
  readonly imports: readonly Import[];
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The nodes directly below a node. */
export function children(node: Node): Node[] {
  return Object.values(node).flatMap((value) =>
    Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : [],
  );
}

/** A node and all below it. */
export function* everyNode(node: Node): Generator<Node> {
  yield node;
  for (const child of children(node)) yield* everyNode(child);
}

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

const IMPORTING = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

function importsOf(tree: Node, text: string): Import[] {
  const found: Import[] = [];
  for (const node of everyNode(tree)) {
    const source = IMPORTING.has(node.type) ? (node.source ?? node.argument) : undefined;
    if (!isNode(source)) continue;
    // What is not written out could be anything: no rule can judge it, so all do.
    const specifier = typeof source.value === 'string' ? source.value : '<computed>';
    found.push({ specifier, line: lineAt(text, node.start) });
  }
  return found;
}

/** @throws Error where the text is not TypeScript. */
export function parseSource(path: string, text: string): SourceFile {
  const tree = parseAst(text, { lang: 'ts' }, path) as unknown as Node;
  return { path, text, tree, imports: importsOf(tree, text) };
}

/** A tree of files in memory, for the tests of the rules themselves. */
export function fixture(files: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(files).map(([path, text]) => parseSource(path, text));
}

const isOurs = (path: string): boolean =>
  path.endsWith('.ts') && !path.split('/').some((part) => part === 'node_modules' || part.startsWith('.'));

/** All TypeScript below these folders; one that does not exist (yet) has none. */
export async function readSources(root: string, folders: readonly string[]): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const folder of folders) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
    for (const name of names
      .map((one) => `${folder}/${one.replaceAll('\\', '/')}`)
      .filter(isOurs)
      .sort())
      found.push(parseSource(name, await readFile(join(root, name), 'utf8')));
  }
  return found;
}
