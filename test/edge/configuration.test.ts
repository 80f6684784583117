import { expect, test } from 'vitest';
import { startProgram } from '../support/program.ts';

async function refused(args: string[], env: Record<string, string>): Promise<string> {
  const program = startProgram('node', ['local/edge.ts', ...args], { env });
  try {
    expect(await program.exited).toBe(1);
    return program.logs();
  } finally {
    await program.stop();
  }
}

test('a bad command line: every error, exit 1', async () => {
  const text = await refused(['--origin', 'blog', '--port', 'x'], {});
  expect(text).toContain('The edge command has 2 errors:\n');
  expect(text).toContain('  - --port: "x" must be');
  expect(text).toContain('  - --origin: "blog" must be');
});

test('bad variables of the Worker: every error before anything listens, exit 1', async () => {
  const env = { EDGE_TOKEN: 'ci:short', PORCHLIGHT_VARS: '{"MEMORY_MB":"none","STAGE":"cdn"}' };
  const text = await refused(['--origin', 'http://127.0.0.1:1'], env);
  expect(text).toContain('The edge configuration has 3 errors:\n');
  for (const name of ['EDGE_TOKEN', 'MEMORY_MB', 'STAGE']) expect(text).toContain(`  - ${name}: `);
});
