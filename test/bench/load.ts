import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { groupProcesses, projectEnv, sleep } from '../support/program.ts';

const run = promisify(execFile);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface Sample {
  perSecond: number;
  p50Micros: number;
  p99Micros: number;
  errors: number;
  /** CPU time of the server per request; undefined where the system does not tell. */
  cpuMicros: number | undefined;
  /** How often the origin was asked meanwhile; none, if all were hits. */
  originRequests?: number;
}

export interface Target {
  name: string;
  port: number;
  /** Process group of the server. */
  group: number;
  /** Processes whose CPU time counts: workerd alone for a Worker, its Node parent only waits. */
  cpuOf: RegExp;
  /** Process start until the first 200, milliseconds. */
  startMs: number;
  stop: () => Promise<void>;
}

export interface LoadOptions {
  connections: number;
  seconds: number;
}

/** Clock ticks to microseconds, at the 100 Hz that Linux reports in on every common platform. */
const TICK_MICROS = 10_000;

function cpuMicros(target: Target): number {
  const running = groupProcesses(target.group).filter((p) => target.cpuOf.test(p.name));
  return running.reduce((sum, p) => sum + p.cpuTicks * TICK_MICROS, 0);
}

/** Waits until the server has nothing left to do: less than 2 % of a core over a second, 60 s at most. */
export async function settle(target: Target): Promise<void> {
  for (let second = 0; second < 60; second += 1) {
    const before = cpuMicros(target);
    await sleep(1000);
    if (cpuMicros(target) - before <= 20_000) return;
  }
}

let wrk: Promise<boolean> | undefined;

/** Whether wrk is installed; it prints its version and exits with 1. */
export function hasWrk(): Promise<boolean> {
  wrk ??= run('wrk', ['-v']).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  return wrk;
}

/** Asks for `paths` in turn on keep-alive connections, in a closed loop, from a process of its own. */
export async function load(target: Target, paths: string[], options: LoadOptions): Promise<Sample> {
  const temp = await mkdtemp(join(tmpdir(), 'porchlight-bench-'));
  try {
    const file = join(temp, 'paths');
    await writeFile(file, `${paths.join('\n')}\n`);
    const { connections, seconds } = options;
    const before = cpuMicros(target);
    const [command, args] = (await hasWrk())
      ? ['wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', here('wrk.lua')]]
      : ['node', [here('load-client.ts'), String(target.port), String(connections), String(seconds), file]];
    const full = command === 'wrk' ? [...args, `http://127.0.0.1:${target.port}`, '--', file] : args;
    const { stdout } = await run(command, full, { env: projectEnv(), timeout: (seconds + 60) * 1000 });
    const used = cpuMicros(target) - before;
    return sample(stdout, used);
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
}

function sample(stdout: string, cpu: number): Sample {
  const line = stdout.split('\n').find((l) => l.startsWith('RESULT '));
  if (line === undefined) throw new Error(`the load generator printed no result:\n${stdout}`);
  const r = JSON.parse(line.slice(7)) as Record<'requests' | 'micros' | 'p50' | 'p99' | 'errors', number>;
  return {
    perSecond: r.requests / (r.micros / 1_000_000),
    p50Micros: r.p50,
    p99Micros: r.p99,
    errors: r.errors,
    cpuMicros: cpu > 0 && r.requests > 0 ? cpu / r.requests : undefined,
  };
}

/** Rounds of load, target after target within each, so that all see the same machine. */
export async function rounds<T extends { target: Target; paths: string[] }>(
  jobs: T[],
  options: LoadOptions & { rounds: number },
  note: (text: string) => void,
  originCount: () => Promise<number>,
): Promise<Map<T, Sample[]>> {
  const samples = new Map<T, Sample[]>(jobs.map((job) => [job, []]));
  for (const job of jobs) await load(job.target, job.paths, { ...options, seconds: 1 });
  for (let n = 1; n <= options.rounds; n += 1) {
    for (const job of jobs) {
      const before = await originCount();
      const result = await load(job.target, job.paths, options);
      result.originRequests = (await originCount()) - before;
      samples.get(job)?.push(result);
      note(`round ${n} of ${options.rounds}: ${job.target.name} ${Math.round(result.perSecond)}/s`);
    }
  }
  return samples;
}
