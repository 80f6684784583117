import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { ROOT } from './bundle.ts';

/** A token for this machine only; production sets its own. */
const LOCAL_TOKEN = 'local:example-token-for-this-machine-only';

interface Part {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready: string;
}

const token = process.env.EDGE_TOKEN ?? LOCAL_TOKEN;
const hasBridge = existsSync(`${ROOT}bridge/main.ts`);
const bridge = 'http://127.0.0.1:8788';
const parts: readonly Part[] = [
  { name: 'blog', args: ['blog/main.ts', '--port', '3000'], ready: 'http://127.0.0.1:3000/ready' },
  ...(hasBridge
    ? [
        {
          name: 'bridge',
          args: ['bridge/main.ts', '--port', '8788', '--data', `${ROOT}data/bridge`],
          env: {
            EDGE_URL: 'http://127.0.0.1:8787',
            EDGE_TOKEN: token,
            BRIDGE_TOKENS: process.env.BRIDGE_TOKENS ?? LOCAL_TOKEN,
            // A laptop may have no GPU, and whoever names a model there wants it used.
            OLLAMA_ALLOW_CPU: process.env.OLLAMA_ALLOW_CPU ?? 'true',
          },
          ready: `${bridge}/health`,
        },
      ]
    : []),
  {
    name: 'edge',
    args: [
      'local/edge.ts',
      '--origin',
      'http://127.0.0.1:3000',
      '--port',
      '8787',
      '--data',
      `${ROOT}data/edge`,
      ...(hasBridge ? ['--bridge', bridge] : []),
    ],
    // Only the site's own hosts, as in production.
    env: { EDGE_TOKEN: token, PORCHLIGHT_VARS: JSON.stringify({ ANY_HOST: 'false' }) },
    ready: 'http://127.0.0.1:8787/.porchlight/health',
  },
];

const running: ChildProcess[] = [];
let stopping = false;

async function stopAll(code: number): Promise<never> {
  stopping = true;
  for (const child of running) if (child.exitCode === null) child.kill('SIGINT');
  const gone = Promise.all(running.map((child) => (child.exitCode === null ? once(child, 'exit') : undefined)));
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 8_000))]);
  for (const child of running) if (child.exitCode === null) child.kill('SIGKILL');
  process.exit(code);
}

/** Starts one part with its output prefixed by its name; when one part ends, all end. */
function start({ name, args, env }: Part): void {
  const child = spawn(process.execPath, [...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) console.log(`${name.padEnd(6)} | ${line}`);
    });
  }
  child.once('exit', (code) => {
    if (stopping) return;
    console.error(`${name} ended with code ${code}; stopping the others.`);
    void stopAll(1);
  });
}

async function untilReady({ name, ready }: Part): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const ok = await fetch(ready, { signal: AbortSignal.timeout(2_000) }).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  console.error(`${name} did not become ready at ${ready} within 60 s.`);
  await stopAll(1);
}

process.once('SIGINT', () => void stopAll(0));
process.once('SIGTERM', () => void stopAll(0));
for (const part of parts) start(part);
await Promise.all(parts.map(untilReady));
const { OLLAMA_HOST: ollama, OLLAMA_MODEL: model = 'llama3.2:3b' } = process.env;
const summaries = ollama
  ? `by ${model} at ${ollama}`
  : 'extractive; with OLLAMA_HOST=http://127.0.0.1:11434 by a model';
console.log(`
  blog through the edge   http://localhost:8787/         (also http://blog.localhost:8787/)
  status                  http://status.localhost:8787/
  ${hasBridge ? 'bridge                  http://localhost:8788/v1/status' : 'bridge                  not part of this checkout'}
  comment summaries       ${hasBridge ? summaries : 'none without a bridge'}
  blog, without the edge  http://localhost:3000/
Stop with Ctrl-C.
`);
