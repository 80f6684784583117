import { buildCatalogue, type Catalogue } from './catalogue.ts';
import type { ContentEntry, ContentFs } from './disk.ts';
import { type Known, readChanged, readImage, readPost } from './files.ts';
import { type Image, isImageFile } from './images.ts';
import type { Post } from './post.ts';

export interface ContentStore {
  /** What is published now; nothing before the first successful look at the disk. */
  current(): Catalogue | undefined;
  /**
   * Looks for changes. When it resolves, everything that was on disk at the time of the call is served.
   * Never rejects: what went wrong becomes a problem of the catalogue, or `unreadable`.
   */
  refresh(): Promise<void>;
  /** Why the content directory as a whole could not be read last time, if it could not. */
  unreadable(): string | undefined;
}

export interface ContentStoreOptions {
  readonly fs: ContentFs;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called after every change of what is published, and when the directory cannot be read. */
  readonly onChange?: (catalogue: Catalogue | undefined, unreadable: string | undefined) => void;
}

type Files<T> = ReadonlyMap<string, Known<T>>;
interface State {
  readonly stamp: string;
  readonly posts: Files<Post>;
  readonly images: Files<Image>;
  readonly catalogue: Catalogue | undefined;
}

/** File times tick every few milliseconds: a file this young may change again under the same time. */
const SETTLED_AFTER_MS = 100;

/** Keeps the last good version of every post, and reads only what changed. */
export function createContentStore(options: ContentStoreOptions): ContentStore {
  let state: State = { stamp: '', posts: new Map(), images: new Map(), catalogue: undefined };
  let unreadable: string | undefined;
  let looks = 0;

  async function look(): Promise<void> {
    looks += 1;
    try {
      const next = await readState(options.fs, state, options.now, looks);
      if (next === state && unreadable === undefined) return;
      state = next;
      unreadable = undefined;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason === unreadable) return;
      unreadable = reason;
    }
    options.onChange?.(state.catalogue, unreadable);
  }

  return { current: () => state.catalogue, refresh: shareRuns(look), unreadable: () => unreadable };
}

/** The state after a look at the disk: the same object if nothing changed. */
async function readState(fs: ContentFs, before: State, clock: () => number, look: number): Promise<State> {
  const entries = await fs.list();
  const now = clock();
  const stampOf = (entry: ContentEntry): string => {
    const unsettled = now - entry.modified < SETTLED_AFTER_MS ? `?${look}` : '';
    return `${entry.path}|${entry.kind}|${entry.modified}|${entry.size}${unsettled}`;
  };
  const stamp = entries.map(stampOf).join('\n');
  if (stamp === before.stamp) return before;

  const files = entries.filter((entry) => entry.kind === 'file');
  const pictures = files.filter((file) => isImageFile(file.path));
  const images = await readChanged(before.images, pictures, stampOf, (entry) => readImage(fs, entry));
  const good = [...images.values()].map((image) => image.good).filter((image) => image !== undefined);
  const byFile = new Map(good.map((image) => [image.file, image]));

  // A post names its pictures by content: when any picture changes, every post is rendered again.
  const seen = good.map((image) => image.hashedUrl).join();
  const texts = files.filter((file) => file.path.toLowerCase().endsWith('.md'));
  const postStamp = (entry: ContentEntry) => `${stampOf(entry)}|${seen}`;
  const posts = await readChanged(before.posts, texts, postStamp, (entry) => readPost(fs, entry, byFile));

  const folders = entries.filter((entry) => entry.kind === 'folder');
  const catalogue = buildCatalogue({
    posts: [...posts.values()].map((post) => post.good).filter((post) => post !== undefined),
    images: good,
    problems: [...posts.values(), ...images.values()].flatMap((file) => file.problems),
    modified: Math.max(0, ...folders.map((folder) => folder.modified)),
    owners: new Map([...(before.catalogue?.bySlug ?? [])].map(([slug, post]) => [slug, post.file])),
  });
  return { stamp, posts, images, catalogue };
}

/** A run under way may already have passed what changed since: all who come during it share one more. */
function shareRuns(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  return function start(): Promise<void> {
    if (running === undefined) {
      running = run().finally(() => {
        running = undefined;
      });
      return running;
    }
    queued ??= running.then(() => {
      queued = undefined;
      return start();
    });
    return queued;
  };
}
