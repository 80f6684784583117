import { closeSync, fsyncSync, openSync } from 'node:fs';
import type { PGlite } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

/** Makes what was written to an open file or to a directory durable, as fsync(2). */
export type SyncFile = (descriptor: number, path: string) => void;

interface Stream {
  readonly node: unknown;
  readonly nfd?: number;
}
interface EmscriptenNodeFs {
  stream_ops: { fsync?: (stream: Stream) => number };
  realPath(node: unknown): string;
}

/**
 * PGlite as shipped never calls fsync: it starts PostgreSQL with `-F`, its `fdatasync` is a stub that answers success, and the Node
 * file system it mounts has no `fsync` operation for the emulated one to call. That survives a killed process, because the kernel
 * keeps what was written, but not a power cut. This file system supplies the missing operation; with `durableStart` PostgreSQL
 * then writes its log ahead of everything, as everywhere else.
 */
export class DurableFs extends NodeFS {
  readonly #sync: SyncFile;

  constructor(directory: string, sync: SyncFile = fsyncSync) {
    super(directory);
    this.#sync = sync;
  }

  override async init(pg: PGlite, options: Parameters<NodeFS['init']>[1]): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pg, options);
    const addSync = (module: object) => {
      const nodefs = (module as { NODEFS: EmscriptenNodeFs }).NODEFS;
      nodefs.stream_ops.fsync = (stream) => this.#syncStream(nodefs, stream);
    };
    const preRun = emscriptenOpts.preRun;
    const before = Array.isArray(preRun) ? preRun : preRun ? [preRun] : [];
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...before, addSync] } };
  }

  #syncStream(nodefs: EmscriptenNodeFs, stream: Stream): number {
    const path = nodefs.realPath(stream.node);
    if (typeof stream.nfd === 'number') {
      this.#sync(stream.nfd, path);
      return 0;
    }
    // Directories are opened without a descriptor of the host's; a new or renamed file is durable only with its directory.
    const descriptor = openSync(path, 'r');
    try {
      this.#sync(descriptor, path);
    } finally {
      closeSync(descriptor);
    }
    return 0;
  }
}

/**
 * PGlite's own start parameters without `-F` (fsync off), with the one sync method that reaches the file system (its `fdatasync` does
 * not), and with buffers sized for a queue rather than for analytics.
 */
export function durableStart(defaults: readonly string[]): string[] {
  const settings = ['fsync=on', 'wal_sync_method=fsync', 'synchronous_commit=on', 'full_page_writes=on'];
  const sizes = ['shared_buffers=16MB', 'max_wal_size=64MB', 'min_wal_size=32MB'];
  return [
    ...defaults.filter((parameter) => parameter !== '-F'),
    ...[...settings, ...sizes].flatMap((setting) => ['-c', setting]),
  ];
}
