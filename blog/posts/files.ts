import type { ContentEntry, ContentFs } from './disk.ts';
import { describeImage, type Image } from './images.ts';
import { type Post, parsePost } from './post.ts';
import type { Problem } from './problem.ts';

export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What is known about one file: its last good version, and what is wrong with the present one. */
export interface Known<T> {
  /** Differs whenever the file may have changed. */
  readonly stamp: string;
  readonly good: T | undefined;
  readonly problems: readonly Problem[];
}

const MAX_POST_BYTES = 1_000_000;
const MAX_IMAGE_BYTES = 10_000_000;

/**
 * Reads those of `entries` whose stamp differs from the known one. A broken file keeps its last good
 * version; a file that is gone is forgotten, and so is what it held.
 */
export async function readChanged<T>(
  known: ReadonlyMap<string, Known<T>>,
  entries: readonly ContentEntry[],
  stampOf: (entry: ContentEntry) => string,
  read: (entry: ContentEntry) => Promise<Reading<T> | undefined>,
): Promise<ReadonlyMap<string, Known<T>>> {
  const next = new Map<string, Known<T>>();
  for (const entry of entries) {
    const stamp = stampOf(entry);
    const before = known.get(entry.path);
    if (before?.stamp === stamp) {
      next.set(entry.path, before);
      continue;
    }
    const reading = await read(entry);
    if (reading === undefined) continue;
    const after = reading.ok
      ? { good: reading.value, problems: [] }
      : { good: before?.good, problems: reading.problems };
    next.set(entry.path, { stamp, ...after });
  }
  return next;
}

/** Nothing if the file vanished meanwhile. */
export async function readPost(
  fs: ContentFs,
  entry: ContentEntry,
  images: ReadonlyMap<string, Image>,
): Promise<Reading<Post> | undefined> {
  const bytes = await readBytes(fs, entry, MAX_POST_BYTES);
  if (!bytes?.ok) return bytes;
  let source: string;
  try {
    source = new TextDecoder('utf-8', { fatal: true }).decode(bytes.value);
  } catch {
    return refuse(entry, 'is not UTF-8 text; save it as UTF-8');
  }
  try {
    const result = parsePost(entry.path, source, entry.modified, images);
    return result.ok ? { ok: true, value: result.post } : result;
  } catch (error) {
    return refuse(entry, `cannot be rendered (${String(error)}); simplify the Markdown`);
  }
}

/** Nothing if the file vanished meanwhile. */
export async function readImage(fs: ContentFs, entry: ContentEntry): Promise<Reading<Image> | undefined> {
  const bytes = await readBytes(fs, entry, MAX_IMAGE_BYTES);
  if (!bytes?.ok) return bytes;
  return { ok: true, value: describeImage(entry.path, bytes.value, entry.modified) };
}

async function readBytes(
  fs: ContentFs,
  entry: ContentEntry,
  max: number,
): Promise<Reading<Uint8Array<ArrayBuffer>> | undefined> {
  if (entry.size > max) return refuse(entry, `has ${entry.size} bytes; bring it below ${max}`);
  try {
    return { ok: true, value: await fs.read(entry.path) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    return refuse(entry, `cannot be read (${code ?? String(error)}); check its permissions`);
  }
}

function refuse(entry: ContentEntry, message: string): { ok: false; problems: readonly Problem[] } {
  return { ok: false, problems: [{ file: entry.path, field: 'file', message }] };
}
