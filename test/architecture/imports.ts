import { posix } from 'node:path';
import type { Import, SourceFile } from './source.ts';

/** Where code may come from, for everything below a folder. The longest folder that fits a file counts. */
interface Layer {
  readonly folder: string;
  readonly folders: readonly string[];
  /** Package names, `node:` for Node's own; undefined: any. */
  readonly packages?: readonly string[];
}

/** Dependencies point one way: worker, bridge, blog -> shared; never sideways, never back. */
export const LAYERS: readonly Layer[] = [
  { folder: 'worker/policy', folders: ['worker/policy', 'shared'], packages: [] },
  { folder: 'worker', folders: ['worker', 'shared'], packages: ['itty-router', 'cloudflare:workers'] },
  { folder: 'bridge', folders: ['bridge', 'shared'] },
  { folder: 'blog', folders: ['blog', 'shared'] },
  { folder: 'shared', folders: ['shared'], packages: ['zod', 'jose'] },
  { folder: 'cluster', folders: ['cluster', 'shared'] },
  { folder: 'local', folders: ['local', 'worker', 'bridge', 'blog', 'shared'] },
  { folder: 'examples', folders: ['examples', 'shared'] },
  { folder: 'test', folders: ['test', 'local', 'worker', 'bridge', 'blog', 'cluster', 'shared', 'examples'] },
];

export const isTest = (path: string): boolean => path.endsWith('.test.ts');
const under = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);
const isRelative = (specifier: string): boolean => specifier.startsWith('.') || specifier.startsWith('/');

function layerOf(path: string): Layer | undefined {
  return LAYERS.filter(({ folder }) => under(path, folder)).sort((a, b) => b.folder.length - a.folder.length)[0];
}

/** The repository path a relative import means. */
function target(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node:';
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

function refusal(from: string, { specifier }: Import, { folders, packages }: Layer): string | undefined {
  if (specifier === '<computed>') return 'a computed path, which nothing can check';
  if (isRelative(specifier)) {
    const to = target(from, specifier);
    return folders.some((folder) => under(to, folder)) ? undefined : to;
  }
  return packages === undefined || packages.includes(packageOf(specifier)) ? undefined : specifier;
}

/** Imports that point where their layer may not look. Tests may import anything. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => {
    const layer = layerOf(file.path);
    if (layer === undefined) return [`${file.path}: lies in no known folder; add it to LAYERS`];
    if (isTest(file.path) || layer.folder === 'test') return [];
    return file.imports.flatMap((one) => {
      const what = refusal(file.path, one, layer);
      return what === undefined ? [] : [`${file.path}:${one.line}: ${layer.folder} may not import ${what}`];
    });
  });
}

/** Relative imports of files that do not exist, or that leave out `.ts`. Other extensions are not sources. */
export function danglingImports(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map(({ path }) => path));
  return files.flatMap((file) =>
    file.imports
      .filter(({ specifier }) => isRelative(specifier) && !/\.(json|md|css|svg|html)$/.test(specifier))
      .filter(({ specifier }) => !known.has(target(file.path, specifier)))
      .map(({ specifier, line }) => `${file.path}:${line}: "${specifier}" is no source file of this project`),
  );
}

/** Import cycles, type imports included, each once: as the path from its first file back to it. */
export function cycles(files: readonly SourceFile[]): string[] {
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports
        .filter(({ specifier }) => isRelative(specifier))
        .map(({ specifier }) => target(file.path, specifier)),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) return void found.push([...trail.slice(at), path].join(' -> '));
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of [...edges.keys()].sort()) visit(path, []);
  return found;
}
