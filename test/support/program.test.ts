import { expect, test } from 'vitest';
import { get } from './http.ts';
import { freePorts } from './ports.ts';
import { accepts, poll, startProgram } from './program.ts';

/** A parent whose child is the one that listens, as Miniflare's workerd is. */
const PARENT = `
  const { spawn } = require('node:child_process');
  const child = "require('node:http').createServer((q, s) => s.end(process.version)).listen(PORT, '127.0.0.1')";
  spawn(process.execPath, ['-e', child.replace('PORT', process.argv[1])], { stdio: 'inherit' });
  console.log('started');
`;

test.each(['stop', 'kill9'] as const)('%s ends the whole process group', async (how) => {
  const port = await freePorts();
  const program = startProgram('node', ['-e', PARENT, String(port)], {});
  expect(await poll(() => accepts(port), 20_000)).toBe(true);
  // The pinned Node, whatever the machine has.
  expect((await get(port, '/')).text).toMatch(/^v24\./);
  expect(program.logs()).toContain('started');
  await program[how]();
  expect(await accepts(port)).toBe(false);
});

test('ports are consecutive and free', async () => {
  const first = await freePorts(5);
  for (let i = 0; i < 5; i += 1) expect(await accepts(first + i)).toBe(false);
});
