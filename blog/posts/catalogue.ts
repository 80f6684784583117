import type { Image } from './images.ts';
import type { Post } from './post.ts';
import type { Problem } from './problem.ts';

/** Everything published at one moment. Immutable: a change on disk makes a new one. */
export interface Catalogue {
  /** Newest first. */
  readonly posts: readonly Post[];
  readonly bySlug: ReadonlyMap<string, Post>;
  /** Tag to its posts, newest first; tags in alphabetical order. */
  readonly byTag: ReadonlyMap<string, readonly Post[]>;
  /** By stable and by hashed address. */
  readonly images: ReadonlyMap<string, Image>;
  readonly problems: readonly Problem[];
  /** Epoch milliseconds of the last file added, removed or renamed. */
  readonly modified: number;
}

export interface CatalogueParts {
  readonly posts: readonly Post[];
  readonly images: readonly Image[];
  readonly problems: readonly Problem[];
  readonly modified: number;
  /** The file that had each slug before: it keeps it when a second file claims the same. */
  readonly owners?: ReadonlyMap<string, string>;
}

export function buildCatalogue(parts: CatalogueParts): Catalogue {
  const problems = [...parts.problems];
  const bySlug = new Map<string, Post>();
  const claims = [...parts.posts].sort((a, b) => compare(a.file, b.file));
  const rank = (post: Post) => (parts.owners?.get(post.slug) === post.file ? 0 : 1);
  for (const post of claims.sort((a, b) => rank(a) - rank(b))) {
    const owner = bySlug.get(post.slug);
    if (owner === undefined) bySlug.set(post.slug, post);
    else {
      const message = `"${post.slug}" is already used by ${owner.file}; give one of the two another slug`;
      problems.push({ file: post.file, field: 'slug', message });
    }
  }
  const posts = [...bySlug.values()]
    .filter((post) => !post.draft)
    .sort((a, b) => b.date - a.date || compare(a.slug, b.slug));
  return {
    posts,
    bySlug: new Map(posts.map((post) => [post.slug, post])),
    byTag: groupByTag(posts),
    images: indexImages(parts.images, problems),
    problems,
    modified: parts.modified,
  };
}

function groupByTag(posts: readonly Post[]): ReadonlyMap<string, readonly Post[]> {
  const groups = new Map<string, Post[]>();
  for (const post of posts) {
    for (const tag of post.tags) groups.set(tag, [...(groups.get(tag) ?? []), post]);
  }
  return new Map([...groups].sort(([a], [b]) => compare(a, b)));
}

function indexImages(images: readonly Image[], problems: Problem[]): ReadonlyMap<string, Image> {
  const index = new Map<string, Image>();
  for (const image of images) {
    const other = index.get(image.stableUrl);
    if (other !== undefined) {
      const message = `would be served at the same address as ${other.file}; rename one of the two`;
      problems.push({ file: image.file, field: 'file', message });
      continue;
    }
    index.set(image.stableUrl, image).set(image.hashedUrl, image);
  }
  return index;
}

/** Code-unit order: the same on every machine, whatever its locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
