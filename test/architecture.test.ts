import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dishonestTests, impurePolicy, longFiles, longFunctions, untyped } from './architecture/code.ts';
import { cycles, danglingImports, LAYERS, layerViolations } from './architecture/imports.ts';
import { fixture, readSources } from './architecture/source.ts';
import { ROOT } from './support/program.ts';

const FOLDERS = [...new Set(LAYERS.map(({ folder }) => folder.split('/')[0] ?? ''))];
/** What a test must not say, a line each: kept out of this file, so that none of it looks like something that is said here. */
const refused = (await readFile(join(ROOT, 'test/architecture/refused-tests.txt'), 'utf8'))
  .trimEnd()
  .split('\n')
  .map((line) => line.split(' | ') as [what: string, text: string]);
const sources = await readSources(ROOT, FOLDERS);

describe('this repository', () => {
  test('is read: the rules look at something', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(300);
  });

  test.each([
    ['dependencies point one way', layerViolations],
    ['every import names a source by its full name', danglingImports],
    ['no import cycles', cycles],
    ['policy is pure', impurePolicy],
    ['files can be read at once', longFiles],
    ['functions can be read at once', longFunctions],
    ['no any, no silenced compiler', untyped],
    ['every test runs, against the real modules', dishonestTests],
  ])('%s', (_, rule) => {
    expect(rule(sources)).toEqual([]);
  });
});

describe('dependencies point one way: the rule can fail', () => {
  const violation = (path: string, text: string): string[] => layerViolations(fixture({ [path]: text }));
  test.each<[string, string, string]>([
    ['worker/a.ts', "import '../bridge/b.ts';", 'worker/a.ts:1: worker may not import bridge/b.ts'],
    ['worker/a.ts', "import type { B } from '../blog/b.ts';", 'worker/a.ts:1: worker may not import blog/b.ts'],
    ['worker/a.ts', "\nexport * from '../local/b.ts';", 'worker/a.ts:2: worker may not import local/b.ts'],
    ['worker/a.ts', "export { b } from '../test/b.ts';", 'worker/a.ts:1: worker may not import test/b.ts'],
    ['worker/a.ts', "import { readFile } from 'node:fs';", 'worker/a.ts:1: worker may not import node:fs'],
    ['worker/a.ts', "import { Hono } from 'hono';", 'worker/a.ts:1: worker may not import hono'],
    ['worker/a.ts', "const b = await import('../bridge/b.ts');", 'worker/a.ts:1: worker may not import bridge/b.ts'],
    ['worker/a.ts', "type B = import('../bridge/b.ts').B;", 'worker/a.ts:1: worker may not import bridge/b.ts'],
    [
      'worker/a.ts',
      'const b = await import(name);',
      'worker/a.ts:1: worker may not import a computed path, which nothing can check',
    ],
    [
      'worker/policy/a.ts',
      "import '../tiers/b.ts';",
      'worker/policy/a.ts:1: worker/policy may not import worker/tiers/b.ts',
    ],
    ['worker/policy/a.ts', "import 'itty-router';", 'worker/policy/a.ts:1: worker/policy may not import itty-router'],
    ['bridge/a.ts', "import '../worker/b.ts';", 'bridge/a.ts:1: bridge may not import worker/b.ts'],
    ['bridge/io/a.ts', "import '../../blog/b.ts';", 'bridge/io/a.ts:1: bridge may not import blog/b.ts'],
    ['blog/a.ts', "import '../bridge/b.ts';", 'blog/a.ts:1: blog may not import bridge/b.ts'],
    ['shared/a.ts', "import '../worker/b.ts';", 'shared/a.ts:1: shared may not import worker/b.ts'],
    ['shared/a.ts', "import 'node:crypto';", 'shared/a.ts:1: shared may not import node:crypto'],
    ['shared/a.ts', "import '@hono/node-server';", 'shared/a.ts:1: shared may not import @hono/node-server'],
    ['local/a.ts', "import '../test/b.ts';", 'local/a.ts:1: local may not import test/b.ts'],
    ['tools/a.ts', '', 'tools/a.ts: lies in no known folder; add it to LAYERS'],
  ])('%s: %s', (path, text, message) => {
    expect(violation(path, text)).toEqual([message]);
  });

  test.each<[string, string]>([
    ['worker/a.ts', "import './policy/b.ts'; import '../shared/c.ts'; import { Router } from 'itty-router';"],
    ['worker/ledger/a.ts', "import { DurableObject } from 'cloudflare:workers';"],
    ['worker/policy/a.ts', "import './b.ts'; import '../../shared/c.ts';"],
    ['worker/a.ts', "// import '../bridge/b.ts';\nconst text = \"import '../bridge/b.ts'\";"],
    ['worker/a.test.ts', "import '../bridge/b.ts'; import 'node:fs'; import '../test/c.ts';"],
    ['bridge/a.ts', "import 'node:http'; import { Hono } from 'hono'; import '../shared/b.ts';"],
    ['shared/a.ts', "import { z } from 'zod/mini'; import * as jose from 'jose'; import './b.ts';"],
    ['local/a.ts', "import '../worker/config.ts'; import '../blog/main.ts'; import '../bridge/main.ts';"],
    ['test/a.ts', "import '../worker/b.ts'; import '../bridge/b.ts'; import 'anything';"],
  ])('allowed in %s: %s', (path, text) => {
    expect(violation(path, text)).toEqual([]);
  });
});

describe('imports lead somewhere, and never back: the rules can fail', () => {
  test('a file that is not there, and one without its ending', () => {
    const files = fixture({ 'shared/a.ts': "import './b.ts';\nimport './c';\nimport './d.json';", 'shared/c.ts': '' });
    expect(danglingImports(files)).toEqual([
      'shared/a.ts:1: "./b.ts" is no source file of this project',
      'shared/a.ts:2: "./c" is no source file of this project',
    ]);
  });

  test.each<[string, Record<string, string>, string[]]>([
    ['none', { 'a.ts': "import './b.ts'; import './c.ts';", 'b.ts': "import './c.ts';", 'c.ts': '' }, []],
    ['of one', { 'a.ts': "import './a.ts';" }, ['a.ts -> a.ts']],
    ['of two', { 'a.ts': "import './b.ts';", 'b.ts': "import './a.ts';" }, ['a.ts -> b.ts -> a.ts']],
    [
      'of three, of types alone',
      {
        'a.ts': "import type { B } from './b.ts';",
        'b.ts': "import type { C } from './x/c.ts';",
        'x/c.ts': "export type * from '../a.ts';",
      },
      ['a.ts -> b.ts -> x/c.ts -> a.ts'],
    ],
    [
      'beside the way',
      { 'a.ts': "import './b.ts';", 'b.ts': "import './c.ts';", 'c.ts': "import './b.ts';" },
      ['b.ts -> c.ts -> b.ts'],
    ],
  ])('cycles: %s', (_, files, expected) => {
    expect(cycles(fixture(files))).toEqual(expected);
  });
});

describe('policy is pure: the rule can fail', () => {
  const policy = (text: string): string[] => impurePolicy(fixture({ 'worker/policy/a.ts': text }));
  test.each<[string, string]>([
    ['const now = Date.now();', 'Date.now'],
    ['const clock = Date.now;', 'Date.now'],
    ['const now = new Date();', 'the current Date'],
    ['const now = Date();', 'the current Date'],
    ['const x = Math.random();', 'Math.random'],
    ["await fetch('http://x');", 'fetch'],
    ['const deps = { fetch };', 'fetch'],
    ['const c = caches.default;', 'caches'],
    ['console.log(1);', 'console'],
    ['(console as Console).log(1);', 'console'],
    ['setTimeout(() => 1, 5);', 'setTimeout'],
    ['globalThis.x;', 'globalThis'],
    ['const id = crypto.randomUUID();', 'crypto'],
    ['const a = (f = performance.now()) => f;', 'performance'],
  ])('%s', (text, what) => {
    expect(policy(text)).toEqual([`worker/policy/a.ts:1: policy uses ${what}; have it handed in`]);
  });

  test.each([
    'const at = new Date(now).getTime();',
    'const at = Date.UTC(2026, 0, 1);',
    'interface Deps { fetch(url: string): void; readonly console: number }',
    'const random = deps.fetch; const x = { console: 1 }; const y = x.console;',
    "const text = 'Date.now()'; // console.log",
    'const most = Math.max(1, 2);',
  ])('pure: %s', (text) => {
    expect(policy(text)).toEqual([]);
  });

  test('elsewhere it may', () => {
    expect(impurePolicy(fixture({ 'worker/a.ts': 'Date.now()', 'worker/policy/a.test.ts': 'Date.now()' }))).toEqual([]);
  });
});

describe('sizes: the rules can fail', () => {
  const lines = (count: number): string => '// x\n'.repeat(count);
  test('files', () => {
    const files = fixture({ 'worker/a.ts': lines(301), 'worker/b.ts': lines(300), 'worker/a.test.ts': lines(900) });
    expect(longFiles(files)).toEqual(['worker/a.ts: 301 lines, at most 300']);
  });

  test.each([
    ['function', 'function f() {\n', '}'],
    ['arrow', 'const f = () => {\n', '};'],
    ['method', 'class C {\n  m() {\n', '}\n}'],
    ['private method', 'class C {\n  async *#m() {\n', '}\n}'],
    ['getter', 'const o = {\n  get x() {\n', 'return 1 }\n}'],
    ['arrow without block', 'const f = () => [\n', '];'],
  ])('%s', (_, before, after) => {
    const of = (count: number): string[] =>
      longFunctions(fixture({ 'worker/a.ts': `${before}${lines(count)}${after}` }));
    expect(of(59)).toEqual([expect.stringMatching(/^worker\/a\.ts:\d: a function of 61 lines, at most 60$/)]);
    expect(of(58)).toEqual([]);
  });
});

describe('types and tests: the rules can fail', () => {
  test.each(['let x: any;', 'const f = (x: any[]) => x;', 'const x = y as any;', 'type X = Record<string, any>;'])(
    '%s',
    (text) => {
      expect(untyped(fixture({ 'worker/a.test.ts': text }))).toEqual(['worker/a.test.ts:1: any']);
    },
  );

  test.each(['// @ts-ignore', '  // because @ts-expect-error', '/* @ts-nocheck */'])('%s', (text) => {
    expect(untyped(fixture({ 'worker/a.ts': `${text}\nconst x = 1;` }))).toEqual([
      'worker/a.ts:1: a compiler error silenced',
    ]);
  });

  test('the word alone is nothing', () => {
    expect(untyped(fixture({ 'worker/a.ts': "const any = 'any'; // any @ts" }))).toEqual([]);
  });

  test.each(refused)('%s: %s', (what, text) => {
    expect(dishonestTests(fixture({ 'worker/a.test.ts': text }))).toEqual([`worker/a.test.ts:1: ${what}`]);
  });

  test('all eight of them are read', () => {
    expect(refused).toHaveLength(8);
  });

  test('others’ words of the same name are theirs', () => {
    expect(
      dishonestTests(fixture({ 'worker/a.ts': "stream.skip(1); options.only; vi.fn(); test('x', () => {});" })),
    ).toEqual([]);
  });
});
