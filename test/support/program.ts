import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'node_modules', '.bin');

/** The environment in which the project's own scripts run: the pinned Node first in PATH. */
export function projectEnv(extra: Record<string, string> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...extra, PATH: `${BIN}${delimiter}${process.env.PATH ?? ''}` };
}

export interface Program {
  pid: number;
  /** What it wrote to stdout and stderr so far, the last 256 kB. */
  logs: () => string;
  /** Resolves with the exit code, or null where a signal ended it. */
  exited: Promise<number | null>;
  /** SIGTERM to the whole process group, SIGKILL after five seconds. */
  stop: () => Promise<void>;
  /** SIGKILL to the whole process group. */
  kill9: () => Promise<void>;
}

const LOG_LIMIT = 262_144;

export interface Running {
  pid: number;
  /** The executable's name, at most 15 characters. */
  name: string;
  /** Dead, waiting to be reaped. While other threads are left, its ports and files are still open. */
  zombie: boolean;
  group: number;
  /** User and system time so far, in clock ticks (100 a second on Linux). */
  cpuTicks: number;
}

/** One process as proc(5) shows it; undefined where there is none to read. */
function readProcess(pid: string): Running | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything: fields are counted from the last parenthesis.
    const close = stat.lastIndexOf(')');
    const fields = stat.slice(close + 2).split(' ');
    return {
      pid: Number(pid),
      name: stat.slice(stat.indexOf('(') + 1, close),
      zombie: fields[0] === 'Z' && Number(fields[17]) <= 1,
      group: Number(fields[2]),
      cpuTicks: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return undefined;
  }
}

/** The processes of a group, on Linux; elsewhere none. A zombie holds no port and no file: it does not count. */
export function groupProcesses(group: number): Running[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(readProcess)
    .filter((p) => p?.group === group && !p.zombie) as Running[];
}

/** True while a process of the group runs. */
function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || groupProcesses(pid).length > 0;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: the group is gone already.
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `condition` holds; false once `timeoutMs` have passed without it. */
export async function poll(condition: () => boolean | Promise<boolean>, timeoutMs: number, everyMs = 25) {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end) return false;
    await sleep(everyMs);
  }
}

const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) signalGroup(pid, 'SIGKILL');
});

/** Starts a program in a process group of its own, so that stopping it reaches what it started (workerd, say). */
export function startProgram(command: string, args: string[], options: { env?: Record<string, string>; cwd?: string }) {
  const child: ChildProcess = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: projectEnv(options.env),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid;
  if (pid === undefined) {
    child.on('error', () => {});
    throw new Error(`cannot start ${command}: is it installed?`);
  }
  running.add(pid);
  let text = '';
  const keep = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-LOG_LIMIT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const kill9 = async () => {
    signalGroup(pid, 'SIGKILL');
    await exited;
    await poll(() => !groupAlive(pid), 2000);
    running.delete(pid);
  };
  const stop = async () => {
    signalGroup(pid, 'SIGTERM');
    await poll(() => !groupAlive(pid), 5000);
    await kill9();
  };
  return { pid, logs: () => text, exited, stop, kill9 } satisfies Program;
}

/** True if a TCP connection to the port is accepted. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
