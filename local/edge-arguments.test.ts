import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseEdgeArguments } from './edge-arguments.ts';

const ORIGIN = ['--origin', 'http://127.0.0.1:8000'];

function problems(argv: string[], env: Record<string, string> = {}): string[] {
  const parsed = parseEdgeArguments(argv, env);
  return 'problems' in parsed ? parsed.problems.map(({ where, problem }) => `${where}: ${problem}`) : [];
}

test('defaults', () => {
  expect(parseEdgeArguments(ORIGIN, {})).toEqual({
    arguments: {
      origin: 'http://127.0.0.1:8000',
      host: '127.0.0.1',
      ports: [8787],
      forward: 'keyed',
      anyHost: true,
      edgeToken: undefined,
      vars: {},
    },
  });
});

test('everything given', () => {
  const argv = ['--port', '9000', '--colos', '3', '--host', '::1', '--bridge', 'http://127.0.0.1:8788'];
  const more = ['--data', 'some/where', '--forward', 'all', '--miss-limit', '5'];
  const env = { EDGE_TOKEN: 'example-token-0123456789', PORCHLIGHT_VARS: '{"MEMORY_MB":"8"}' };
  expect(parseEdgeArguments([...ORIGIN, ...argv, ...more], env)).toEqual({
    arguments: {
      origin: 'http://127.0.0.1:8000',
      host: '::1',
      ports: [9000, 9001, 9002],
      bridge: 'http://127.0.0.1:8788',
      dataDir: resolve('some/where'),
      forward: 'all',
      anyHost: true,
      missLimit: 5,
      edgeToken: 'example-token-0123456789',
      vars: { MEMORY_MB: '8' },
    },
  });
});

test('--help asks for nothing else', () => {
  expect(parseEdgeArguments(['--help'], {})).toEqual({ help: true });
});

describe('each thing that can be wrong', () => {
  test.each<[string, string[], RegExp]>([
    ['no origin', [], /^--origin: is missing/],
    ['an unknown option', [...ORIGIN, '--prot', '1'], /^arguments: .*--prot.*--help lists the options/],
    ['a word too many', [...ORIGIN, 'now'], /^arguments: .*now/],
    ['an option without value', ['--origin'], /^arguments: /],
    ['a port of words', [...ORIGIN, '--port', 'http'], /^--port: "http" must be a whole number from 1 to 65535/],
    ['port 0', [...ORIGIN, '--port', '0'], /^--port: "0"/],
    ['an empty port', [...ORIGIN, '--port', ''], /^--port: ""/],
    ['no colo', [...ORIGIN, '--colos', '0'], /^--colos: "0" must be a whole number from 1 to 20/],
    [
      'too many ports',
      [...ORIGIN, '--port', '65535', '--colos', '2'],
      /^--colos: 2 ports from 65535 on end beyond 65535/,
    ],
    ['another mode', [...ORIGIN, '--forward', 'some'], /^--forward: "some" must be keyed or all/],
    ['a limit of nothing', [...ORIGIN, '--miss-limit', '0'], /^--miss-limit: "0"/],
    ['an origin that is no URL', ['--origin', 'localhost:8000'], /^--origin: "localhost:8000" must be http/],
    ['an origin with path', ['--origin', 'http://127.0.0.1:8000/blog'], /^--origin: .* without user, path or query/],
    ['a bridge that is no URL', [...ORIGIN, '--bridge', 'bridge'], /^--bridge: "bridge" must be http/],
  ])('%s', (_, argv, message) => {
    expect(problems(argv)).toEqual([expect.stringMatching(message)]);
  });

  test.each(['x', '[]', '"x"', 'null', '{"A":1}'])('PORCHLIGHT_VARS=%s', (text) => {
    expect(problems(ORIGIN, { PORCHLIGHT_VARS: text })).toEqual([
      'PORCHLIGHT_VARS: must be a JSON object whose values are strings',
    ]);
  });
});

test('everything wrong is reported at once', () => {
  const argv = ['--origin', 'x', '--bridge', 'y', '--port', '0', '--colos', 'x', '--forward', 'x', '--miss-limit', 'x'];
  const found = problems(argv, { PORCHLIGHT_VARS: 'x' });
  expect(found.map((line) => line.split(':')[0]).sort()).toEqual(
    ['--bridge', '--colos', '--forward', '--miss-limit', '--origin', '--port', 'PORCHLIGHT_VARS'].sort(),
  );
});
