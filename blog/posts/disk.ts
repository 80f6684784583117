import { watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';

/** One file or folder of the content directory. Paths are relative to it, with forward slashes. */
export interface ContentEntry {
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** Epoch milliseconds, with fractions. */
  readonly modified: number;
  /** Bytes. */
  readonly size: number;
}

/** All the store needs of a file system. */
export interface ContentFs {
  /** Everything below the content directory, itself included as ''. Rejects if it cannot be read. */
  list(): Promise<readonly ContentEntry[]>;
  read(path: string): Promise<Uint8Array<ArrayBuffer>>;
}

const MAX_DEPTH = 6;
const MAX_ENTRIES = 20_000;

/** The real file system below `root`. Links are followed (mounted volumes use them); names with a leading dot are skipped. */
export function createDisk(root: string): ContentFs {
  async function walk(path: string, depth: number, found: ContentEntry[]): Promise<void> {
    const info = await stat(join(root, path));
    const kind = info.isDirectory() ? 'folder' : 'file';
    if (kind === 'file' && !info.isFile()) return;
    found.push({ path, kind, modified: info.mtimeMs, size: info.size });
    if (found.length > MAX_ENTRIES) throw new Error(`more than ${MAX_ENTRIES} files in ${root}`);
    if (kind === 'file' || depth === MAX_DEPTH) return;
    const names = (await readdir(join(root, path))).filter((name) => !name.startsWith('.')).sort();
    await Promise.all(names.map((name) => walk(posix.join(path, name), depth + 1, found).catch(ignoreVanished)));
  }
  return {
    async list() {
      const found: ContentEntry[] = [];
      await walk('', 0, found);
      return found.sort((a, b) => (a.path < b.path ? -1 : 1));
    },
    read: async (path) => new Uint8Array(await readFile(join(root, path))),
  };
}

/** A file removed between listing its folder and looking at it, or a link that leads nowhere. */
function ignoreVanished(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT' && error.code !== 'ELOOP') throw error;
}

/**
 * Calls `changed` soon after something below `root` changes. Best effort: not every file system reports
 * changes, so the store also looks for itself. `failed` is called when watching ends early.
 */
export function watchDisk(root: string, changed: () => void, failed: (error: Error) => void): { close(): void } {
  try {
    const watcher = watch(root, { recursive: true, persistent: false }, changed);
    watcher.on('error', failed);
    return watcher;
  } catch (error) {
    failed(error instanceof Error ? error : new Error(String(error)));
    return { close: () => {} };
  }
}
