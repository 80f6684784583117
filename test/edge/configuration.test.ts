import { expect, test } from 'vitest';
import { startProgram } from '../support/program.ts';

/** Starts the edge command, which has to refuse: its exit code and all it said. */
async function refused(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number | null; said: string }> {
  const program = startProgram('node', ['local/edge.ts', ...args], { env: { EDGE_TOKEN: '', ...env } });
  const code = await program.exited;
  await program.stop();
  return { code, said: program.logs() };
}

const ORIGIN = ['--origin', 'http://127.0.0.1:1'];

const CASES: [name: string, args: string[], env: Record<string, string>, errors: RegExp[]][] = [
  ['no origin', [], {}, [/--origin: is missing/]],
  ['an origin with a path', ['--origin', 'http://127.0.0.1:1/blog'], {}, [/upstreams\.blog\.url: "http/]],
  ['an unknown option', [...ORIGIN, '--colour', 'red'], {}, [/'--colour'.*--help/]],
  ['a bridge that is no URL', [...ORIGIN, '--bridge', 'home'], {}, [/upstreams\.bridge\.url: "home"/]],
  ['a short token', ORIGIN, { EDGE_TOKEN: 'a:short' }, [/EDGE_TOKEN: token 1 \("a"\) is shorter than 16/]],
  ['variables that are no object', ORIGIN, { PORCHLIGHT_VARS: '[1]' }, [/PORCHLIGHT_VARS: must be a JSON object/]],
  [
    'everything at once',
    ['--origin', 'ftp://x', '--port', '0', '--colos', '99', '--forward', 'some', '--miss-limit', '0'],
    {
      EDGE_TOKEN: 'first:short,second:long-enough-0123456789',
      PORCHLIGHT_VARS: JSON.stringify({ FIRST_BYTE_MS: 'soon', STAGE: 'disk', MEMORY_MB: '0', ACCESS_CLIENT_ID: 'x' }),
    },
    [
      /--port: "0"/,
      /--colos: "99"/,
      /--forward: "some"/,
      /--miss-limit: "0"/,
      /upstreams\.blog\.url: "ftp:\/\/x"/,
      /EDGE_TOKEN: token 1 \("first"\)/,
      /FIRST_BYTE_MS: "soon"/,
      /STAGE: "disk"/,
      /MEMORY_MB: "0"/,
      /ACCESS_CLIENT_ID: and ACCESS_CLIENT_SECRET/,
    ],
  ],
];

test.each(CASES)('%s: one message with every error, exit 1', async (_name, args, env, errors) => {
  const { code, said } = await refused(args, env);
  expect(code).toBe(1);
  for (const error of errors) expect(said).toMatch(error);
  expect(said.match(/^The edge command has \d+ errors?:$/gm)).toHaveLength(1);
  expect(said.match(/^ {2}- /gm)).toHaveLength(errors.length);
  // No stack trace, and no part of a token.
  expect(said).not.toMatch(/^\s+at /m);
  expect(said).not.toContain('long-enough');
});
