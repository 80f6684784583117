import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/program.ts';

const run = promisify(execFile);

/** The first line that looks like a version in what a program prints about itself; undefined if it is not installed. */
async function versionOf(command: string, flag: string): Promise<string | undefined> {
  const output = await run(command, [flag]).then(
    (r) => r.stdout + r.stderr,
    (e: { stdout?: string; stderr?: string }) => `${e.stdout ?? ''}${e.stderr ?? ''}`,
  );
  return /\d+\.\d+(\.\d+)?/.exec(output)?.[0];
}

function packageVersion(name: string): string {
  const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  /** One-minute load average when the run began: anything else that runs blurs the figures. */
  loadBefore: number;
  versions: Record<string, string | undefined>;
}

export async function machine(): Promise<Machine> {
  const [nginx, varnish, wrk] = await Promise.all([
    versionOf('nginx', '-v'),
    versionOf('varnishd', '-V'),
    versionOf('wrk', '-v'),
  ]);
  const node = process.versions.node;
  const fromNpm = Object.fromEntries(['workerd', 'miniflare', 'hono'].map((name) => [name, packageVersion(name)]));
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    versions: { node, ...fromNpm, nginx, varnish, wrk },
  };
}

export function machineText(m: Machine): string {
  const versions = Object.entries(m.versions).map(([name, version]) => `${name} ${version ?? 'not installed'}`);
  const load = m.loadBefore > 0.5 ? `\nload average before: ${m.loadBefore} (the machine is not idle)` : '';
  return `${m.cpu}, ${m.cores} cores, ${m.memoryGiB} GiB, ${m.system}\n${versions.join(', ')}${load}`;
}
