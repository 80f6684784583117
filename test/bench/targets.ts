import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEdge } from '../support/edge.ts';
import { get } from '../support/http.ts';
import { freePorts } from '../support/ports.ts';
import { type Program, poll, startProgram } from '../support/program.ts';
import type { Target } from './load.ts';
import { HOT } from './pages.ts';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function ok(port: number): Promise<boolean> {
  return get(port, HOT, { timeoutMs: 5000 }).then(
    (answer) => answer.status === 200,
    () => false,
  );
}

async function untilOk(name: string, port: number, program: Program): Promise<void> {
  let exited = false;
  void program.exited.then(() => {
    exited = true;
  });
  const up = await poll(async () => exited || (await ok(port)), 60_000, 10);
  if (up && !exited) return;
  await program.kill9();
  throw new Error(`${name} does not answer 200: ${program.logs().slice(-2000)}`);
}

interface Command {
  command: string;
  args: string[];
  cpuOf: RegExp;
  env?: Record<string, string>;
}

/** Starts a server, waits for its first 200, and wraps it as a target. */
async function started(name: string, port: number, c: Command, clean = async () => {}): Promise<Target> {
  const start = performance.now();
  const program = startProgram(c.command, c.args, c.env === undefined ? {} : { env: c.env });
  try {
    await untilOk(name, port, program);
  } catch (error) {
    await clean();
    throw error;
  }
  const stop = async () => {
    await program.stop();
    await clean();
  };
  return { name, port, group: program.pid, cpuOf: c.cpuOf, startMs: performance.now() - start, stop };
}

/** A Worker of `peers/` in a workerd of its own. */
export async function startWorker(name: string, script: string, env: Record<string, string>): Promise<Target> {
  const port = await freePorts();
  const bindings = Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]);
  const args = [here('peer-host.ts'), '--script', here(`peers/${script}`), '--port', String(port), ...bindings];
  return started(name, port, { command: 'node', args, cpuOf: /^workerd/ });
}

/** Porchlight as `npm run edge` starts it. */
export async function startOurs(name: string, origin: string): Promise<Target> {
  const start = performance.now();
  const edge = await startEdge({ origin });
  const port = edge.ports[0] ?? 0;
  if (!(await poll(() => ok(port), 20_000, 10))) {
    await edge.stop();
    throw new Error(`the edge does not answer ${HOT} with 200\n${edge.logs().slice(-2000)}`);
  }
  return { name, port, group: edge.pid, cpuOf: /^workerd/, startMs: performance.now() - start, stop: edge.stop };
}

export async function startOrigin(bytes: number): Promise<Target> {
  const port = await freePorts();
  const args = [here('origin-host.ts'), String(port), String(bytes)];
  return started('origin', port, { command: 'node', args, cpuOf: /./ });
}

/** How many pages the origin was asked for since it started. */
export async function originCount(origin: Target): Promise<number> {
  return Number((await get(origin.port, '/__count')).text);
}

async function folder(prefix: string): Promise<[path: string, clean: () => Promise<void>]> {
  const path = await mkdtemp(join(tmpdir(), `porchlight-${prefix}-`));
  return [path, () => rm(path, { recursive: true, force: true })];
}

/** nginx with `proxy_cache`, one worker process, connections to the origin kept alive. */
export async function startNginx(originPort: number): Promise<Target> {
  const [dir, clean] = await folder('nginx');
  const port = await freePorts();
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const config = `${user} daemon off; worker_processes 1; pid ${dir}/pid; error_log stderr;
events { worker_connections 1024; }
http {
  access_log off; default_type text/html; keepalive_requests 10000000; sendfile on; tcp_nopush on;
  client_body_temp_path ${dir}/body; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
  proxy_temp_path ${dir}/temp;
  proxy_cache_path ${dir}/cache levels=1:2 keys_zone=pages:16m max_size=1g inactive=1h;
  upstream home { server 127.0.0.1:${originPort}; keepalive 32; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://home; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_cache pages; proxy_cache_revalidate on; proxy_cache_use_stale error timeout updating; proxy_cache_lock on;
    }
  }
}
`;
  await writeFile(join(dir, 'nginx.conf'), config);
  const args = ['-p', dir, '-c', join(dir, 'nginx.conf'), '-e', 'stderr'];
  return started('nginx proxy_cache', port, { command: 'nginx', args, cpuOf: /^nginx/ }, clean);
}

/** Varnish as installed, storage in memory. */
export async function startVarnish(originPort: number): Promise<Target> {
  const [dir, clean] = await folder('varnish');
  const port = await freePorts();
  const where = ['-a', `127.0.0.1:${port}`, '-b', `127.0.0.1:${originPort}`];
  const args = ['-F', '-j', 'none', '-n', dir, ...where, '-s', 'malloc,256m'];
  return started('Varnish', port, { command: 'varnishd', args, cpuOf: /^(varnishd|cache-main)/ }, clean);
}
