import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { get } from './http.ts';
import { freePorts } from './ports.ts';
import { type Program, poll, startProgram } from './program.ts';

export interface EdgeOptions {
  /** URL of the HTTP origin behind the edge. */
  origin: string;
  /** First port; the simulated data centres follow on consecutive ones. Default: some that are free. */
  port?: number;
  /** Folder of archive and ledger. Default: a new one, removed by `stop()`. */
  data?: string;
  /** Number of simulated data centres. Default 1. */
  colos?: number;
  forward?: 'keyed' | 'all';
  bridge?: string;
  env?: Record<string, string>;
  /** Further command-line arguments, as they are. */
  args?: string[];
  /** How long it may take until every port answers. Default 60,000. */
  timeoutMs?: number;
}

export interface Edge {
  ports: number[];
  data: string;
  pid: number;
  /** Base URL of a data centre, the first by default, without a trailing slash. */
  url: (colo?: number) => string;
  logs: () => string;
  /** Ends the whole process group and removes the data folder where none was given. */
  stop: () => Promise<void>;
  /** Ends the whole process group without warning and leaves the data folder in place. */
  kill9: () => Promise<void>;
}

/** Admin credential of edges under test. Example value, no secret. */
export const EDGE_TOKEN = 'test-token-0123456789abcdef';

function edgeArgs(options: EdgeOptions, port: number, data: string): string[] {
  const args = ['local/edge.ts', '--origin', options.origin, '--port', String(port), '--data', data];
  if (options.colos !== undefined) args.push('--colos', String(options.colos));
  if (options.forward !== undefined) args.push('--forward', options.forward);
  if (options.bridge !== undefined) args.push('--bridge', options.bridge);
  return [...args, ...(options.args ?? [])];
}

async function answers(port: number): Promise<boolean> {
  try {
    // Any status: an edge whose home is down is up all the same.
    await get(port, '/.porchlight/health', { timeoutMs: 5000 });
    return true;
  } catch {
    return false;
  }
}

/** Waits until all ports answer; an error carries the program's own output. */
async function ready(program: Program, ports: number[], timeoutMs: number): Promise<void> {
  let ended: string | undefined;
  void program.exited.then((code) => {
    ended = `exited with ${code ?? 'a signal'}`;
  });
  const up = await poll(async () => {
    if (ended !== undefined) return true;
    for (const port of ports) if (!(await answers(port))) return false;
    return true;
  }, timeoutMs);
  if (up && ended === undefined) return;
  await program.kill9();
  throw new Error(`the edge ${ended ?? `did not answer within ${timeoutMs} ms`}\n${program.logs().slice(-4000)}`);
}

/**
 * Starts the edge as `npm run edge` does, in a process group of its own, and waits until every data centre answers.
 * @throws Error with the output of the edge if it does not come up.
 */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const temporary = options.data === undefined;
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'porchlight-edge-')));
  const colos = options.colos ?? 1;
  const clean = async () => {
    if (temporary) await rm(data, { recursive: true, force: true });
  };
  for (let attempt = 1; ; attempt += 1) {
    const first = options.port ?? (await freePorts(colos));
    const ports = Array.from({ length: colos }, (_, i) => first + i);
    const env = { EDGE_TOKEN: `test:${EDGE_TOKEN}`, ...options.env };
    const program = startProgram('node', edgeArgs(options, first, data), { env });
    try {
      await ready(program, ports, options.timeoutMs ?? 60_000);
    } catch (error) {
      // A port that was free may be taken by the time it is bound.
      if (options.port === undefined && attempt < 3 && /EADDRINUSE|in use/i.test(String(error))) continue;
      await clean();
      throw error;
    }
    const stop = async () => {
      await program.stop();
      await clean();
    };
    const url = (colo = 0) => `http://127.0.0.1:${ports[colo] ?? first}`;
    return { ports, data, pid: program.pid, url, logs: program.logs, stop, kill9: program.kill9 };
  }
}
