import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
let child: ChildProcess | undefined;

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess & { output(): string } {
  const started = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH ?? '', ...env } });
  let output = '';
  started.stdout.on('data', (chunk) => (output += chunk));
  started.stderr.on('data', (chunk) => (output += chunk));
  child = started;
  return Object.assign(started, { output: () => output });
}

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

it('serves its own posts; on SIGTERM /ready says no while pages go on, then it leaves with 0', {
  timeout: 60_000,
}, async () => {
  const blog = start(['--port', '0', '--host', '127.0.0.1'], { DRAIN_SECONDS: '4' });
  await expect.poll(blog.output, { timeout: 30_000 }).toContain('"event":"content"');
  const origin = /http:\/\/localhost:\d+/.exec(blog.output())?.[0].replace('localhost', '127.0.0.1') ?? '';
  expect(await (await fetch(`${origin}/posts/unplugged`)).text()).toContain('<h1>Unplugged</h1>');
  const exited = once(blog, 'exit');
  blog.kill('SIGTERM');
  await expect.poll(async () => (await fetch(`${origin}/ready`)).status, { timeout: 3_500 }).toBe(503);
  expect((await fetch(`${origin}/posts/unplugged`)).status).toBe(200);
  expect(await exited).toEqual([0, null]);
});

it('with a bad configuration says everything that is wrong at once and leaves with 1', {
  timeout: 60_000,
}, async () => {
  const blog = start(['--port', 'x', '--content', '/nowhere/at/all'], { BASE_URL: 'blog' });
  expect(await once(blog, 'close')).toEqual([1, null]);
  expect(blog.output().trim().split('\n')).toEqual([
    'The blog cannot start:',
    '  --port: "x" is not a whole number from 0 to 65535',
    '  BASE_URL: "blog" is not an origin; write it like https://blog.example.org, without a path',
    '  --content: /nowhere/at/all is not a directory; create it or name another',
  ]);
});
