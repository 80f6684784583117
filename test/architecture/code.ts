import { isTest } from './imports.ts';
import { children, everyNode, lineAt, type Node, type SourceFile } from './source.ts';

export const MAX_FILE_LINES = 300;
export const MAX_FUNCTION_LINES = 60;

const at = (file: SourceFile, node: Node): string => `${file.path}:${lineAt(file.text, node.start)}`;
const named = (node: unknown, name: string): boolean =>
  (node as Node | undefined)?.type === 'Identifier' && (node as Node).name === name;

/** Sources that are longer than a person wants to read at once. */
export function longFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !isTest(path))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_FILE_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${MAX_FILE_LINES}`);
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Functions, methods and arrows of more lines than that, tests aside. */
export function longFunctions(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => !isTest(path))
    .flatMap((file) =>
      [...everyNode(file.tree)]
        .filter(({ type }) => FUNCTIONS.has(type))
        .map((node) => ({ node, lines: file.text.slice(node.start, node.end).split('\n').length }))
        .filter(({ lines }) => lines > MAX_FUNCTION_LINES)
        .map(({ node, lines }) => `${at(file, node)}: a function of ${lines} lines, at most ${MAX_FUNCTION_LINES}`),
    );
}

/** What a pure decision may not touch: time, chance, the network, storage, the log. */
const IMPURE = new Set([
  ...['fetch', 'caches', 'console', 'crypto', 'performance', 'process', 'globalThis', 'self', 'WebSocket'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'scheduler', 'navigator', 'Response', 'Request'],
]);
/** Expressions that only TypeScript has: what they hold runs. All else beginning with TS is types. */
const RUNNING = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSTypeAssertion']);

/** Nodes that run, without names that only name: property keys, members after a dot, types. */
function* runningNodes(node: Node): Generator<Node> {
  if (node.type.startsWith('TS') && !RUNNING.has(node.type)) return;
  yield node;
  const label = node.computed === true ? undefined : node.type === 'MemberExpression' ? node.property : node.key;
  for (const child of children(node)) if (child !== label) yield* runningNodes(child);
}

function impurity(node: Node): string | undefined {
  if (node.type === 'Identifier') return IMPURE.has(String(node.name)) ? String(node.name) : undefined;
  if (node.type === 'MemberExpression' && named(node.object, 'Date') && named(node.property, 'now')) return 'Date.now';
  if (node.type === 'MemberExpression' && named(node.object, 'Math') && named(node.property, 'random'))
    return 'Math.random';
  const bare = Array.isArray(node.arguments) && node.arguments.length === 0 && named(node.callee, 'Date');
  return bare ? 'the current Date' : undefined;
}

/** Uses of clock, chance or platform within `worker/policy`. */
export function impurePolicy(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('worker/policy/') && !isTest(path))
    .flatMap((file) =>
      [...runningNodes(file.tree)].flatMap((node) => {
        const what = impurity(node);
        return what === undefined ? [] : [`${at(file, node)}: policy uses ${what}; have it handed in`];
      }),
    );
}

const SUPPRESSION = /^\s*(?:\/\/|\/?\*).*@ts-(?:ignore|nocheck|expect-error)/;

/** `any`, and comments that switch the compiler off. */
export function untyped(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [
    ...[...everyNode(file.tree)].filter(({ type }) => type === 'TSAnyKeyword').map((node) => `${at(file, node)}: any`),
    ...file.text
      .split('\n')
      .flatMap((line, index) =>
        SUPPRESSION.test(line) ? [`${file.path}:${index + 1}: a compiler error silenced`] : [],
      ),
  ]);
}

const RUNNERS = new Set(['test', 'it', 'describe', 'suite', 'bench']);
// `runIf` is allowed: it says what a test needs (a browser, a database server), and the test says so where it is missing.
const NOT_RUN = new Set(['skip', 'only', 'todo', 'skipIf', 'fails']);
const MOCKS = new Set(['mock', 'doMock', 'hoisted', 'stubGlobal', 'useFakeTimers', 'setSystemTime']);

function root(node: Node): string {
  const object = node.type === 'CallExpression' ? node.callee : node.object;
  return node.type === 'Identifier' ? String(node.name) : object === undefined ? '' : root(object as Node);
}

/** Tests that do not run or run alone, and module or global mocks. */
export function dishonestTests(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    [...everyNode(file.tree)]
      .filter(({ type, computed }) => type === 'MemberExpression' && computed !== true)
      .flatMap((node) => {
        const name = String((node.property as Node).name);
        const from = root(node.object as Node);
        const is = (RUNNERS.has(from) && NOT_RUN.has(name)) || (from === 'vi' && MOCKS.has(name));
        return is ? [`${at(file, node)}: ${from}.${name}`] : [];
      }),
  );
}
