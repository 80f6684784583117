import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectEnv, ROOT } from '../support/program.ts';

const run = promisify(execFile);

/** The edition of the suite that npm has: no clone needed, and its bytes are pinned. */
const PACKAGE = 'http-cache-tests@0.4.5';
const TARBALL = 'http-cache-tests-0.4.5.tgz';
const INTEGRITY = 'sha512-DjuwN9nUZXLTW+wav1LRESCZNVxl8SshwOy4z1pxuWbWt5/ay6sM9QQ1lebBaDO6P1IMBoK6mdf+PuVP/QNL8A==';

async function intact(file: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  const digest = createHash('sha512')
    .update(await readFile(file))
    .digest('base64');
  return `sha512-${digest}` === INTEGRITY;
}

async function download(folder: string): Promise<void> {
  try {
    const args = ['pack', PACKAGE, '--pack-destination', folder, '--ignore-scripts'];
    await run('npm', args, { cwd: folder, env: projectEnv(), timeout: 120_000 });
  } catch (error) {
    const lines = (error as { stderr?: string }).stderr?.split('\n') ?? [String(error)];
    const cause = lines.filter((line) => /error (code|network|\d{3})/i.test(line) || lines.length === 1).slice(0, 3);
    throw new Error(
      `cannot get ${PACKAGE} from the npm registry, so nothing was tested (offline?). ` +
        `Try again with a network, or give a clone of http-tests/cache-tests with --suite DIR.\n${cause.join('\n')}`,
    );
  }
}

/**
 * The folder of the suite's npm edition, downloaded into `.cache/` once and unpacked afresh, without its dependencies.
 * @throws Error if it can neither be found there nor downloaded, or is not what was pinned.
 */
export async function obtainSuite(): Promise<string> {
  const cache = join(ROOT, '.cache', 'conformance');
  const tarball = join(cache, TARBALL);
  await mkdir(cache, { recursive: true });
  if (!(await intact(tarball))) {
    const fresh = await mkdtemp(join(cache, 'download-'));
    try {
      await download(fresh);
      if (!(await intact(join(fresh, TARBALL)))) {
        throw new Error(`${PACKAGE} from the npm registry is not what was pinned: its hash is not ${INTEGRITY}`);
      }
      await rename(join(fresh, TARBALL), tarball);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  }
  const unpacked = await mkdtemp(join(cache, 'run-'));
  await run('tar', ['-xzf', tarball, '-C', unpacked, '--strip-components=1']);
  return unpacked;
}
