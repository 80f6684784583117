import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Locks this process holds: its own number in a file alone may be an earlier process's. */
const held = new Set<string>();

/**
 * Keeps a second process away from an embedded store, which has no locking of its own. The file names the holder; a holder that no
 * longer lives (kill -9, or the same process id in a restarted container) has lost it.
 * @returns releases the lock.
 * @throws where a living process holds it.
 */
export function lockDataDirectory(directory: string): () => void {
  mkdirSync(directory, { recursive: true });
  const path = join(realpathSync(directory), 'bridge.pid');
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx' });
      held.add(path);
      return () => {
        held.delete(path);
        rmSync(path, { force: true });
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number.parseInt(readFileSync(path, 'utf8'), 10);
    if (holder === process.pid ? held.has(path) : isAlive(holder)) {
      throw new Error(`${directory} is in use by process ${holder}: stop it, or give this one another --data`);
    }
    rmSync(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
