import { type FrontMatter, parseFrontMatter } from './front-matter.ts';
import type { Image } from './images.ts';
import { renderMarkdown } from './markdown.ts';
import type { Problem } from './problem.ts';

/** A post ready to be put into a page. */
export interface Post extends FrontMatter {
  /** Path relative to the content directory. */
  readonly file: string;
  readonly url: string;
  readonly html: string;
  /** Reading time, whole minutes, at least 1. */
  readonly minutes: number;
  readonly images: readonly Image[];
  /** Epoch milliseconds of the last change to the file or a picture in it. */
  readonly modified: number;
}

export type PostResult =
  | { readonly ok: true; readonly post: Post }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const WORDS_PER_MINUTE = 220;

export function postUrl(slug: string): string {
  return `/posts/${slug}`;
}

/** Reads one Markdown file. `modified` is the file's own time in epoch milliseconds. */
export function parsePost(
  file: string,
  source: string,
  modified: number,
  images: ReadonlyMap<string, Image>,
): PostResult {
  const parsed = parseFrontMatter(file, source);
  if (!parsed.ok) return parsed;
  const rendered = renderMarkdown(file, parsed.body, parsed.bodyLine, images);
  if (rendered.problems.length > 0) return { ok: false, problems: rendered.problems };
  return {
    ok: true,
    post: {
      ...parsed.value,
      file,
      url: postUrl(parsed.value.slug),
      html: rendered.html,
      minutes: Math.max(1, Math.round(rendered.words / WORDS_PER_MINUTE)),
      images: rendered.images,
      modified: Math.max(modified, ...rendered.images.map((image) => image.modified)),
    },
  };
}
