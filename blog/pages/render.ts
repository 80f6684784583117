import { renderFeed } from '../feeds/feed.ts';
import { renderRobots } from '../feeds/robots.ts';
import { renderSitemap } from '../feeds/sitemap.ts';
import { cacheTags } from '../http/cache-headers.ts';
import { makePage, type Page } from '../http/respond.ts';
import type { Catalogue } from '../posts/catalogue.ts';
import { NAME } from '../posts/front-matter-fields.ts';
import type { Image } from '../posts/images.ts';
import type { Post } from '../posts/post.ts';
import type { Site } from '../site.ts';
import { FAVICON } from './mark.ts';
import { indexPage, notFoundPage, tagIndexPage, tagPage } from './pages.ts';
import { slicePage } from './paging.ts';
import { postPage } from './post-page.ts';
import { CONTENT_SECURITY_POLICY } from './style.ts';

/** What every page is made from. `built` is when the program itself last changed, epoch milliseconds. */
export interface RenderInput {
  readonly site: Site;
  readonly catalogue: Catalogue;
  readonly built: number;
}

const HTML = 'text/html; charset=utf-8';
export const HTML_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'referrer-policy': 'strict-origin-when-cross-origin',
};
/** An SVG opened on its own may style itself, and nothing else. */
const SVG_HEADERS = { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox" };

/** Never earlier than the template, a file that was added or removed, or any post on the page. */
function modified(input: RenderInput, shown: readonly Post[]): number {
  return Math.max(input.built, input.catalogue.modified, ...shown.map((post) => post.modified));
}

function listing(input: RenderInput, body: string, type: string, shown: readonly Post[], tags: Iterable<string>): Page {
  const headers = type === HTML ? HTML_HEADERS : {};
  const cacheTag = cacheTags({ list: true, tags });
  return makePage({
    status: 200,
    body,
    type,
    cache: 'page',
    tags: cacheTag,
    modified: modified(input, shown),
    headers,
  });
}

export function renderIndex(input: RenderInput, page: number): Page {
  const slice = slicePage(input.catalogue.posts, page, input.site.postsPerPage);
  if (slice === undefined) return renderMissing(input.site, cacheTags({ list: true }));
  const tags = slice.items.flatMap((post) => post.tags);
  return listing(input, indexPage(input.site, slice), HTML, slice.items, tags);
}

export function renderTag(input: RenderInput, tag: string, page: number): Page {
  const slice = slicePage(input.catalogue.byTag.get(tag) ?? [], page, input.site.postsPerPage);
  // Tagged, so that the purge which announces a first post under this tag also removes the stored 404.
  if (slice === undefined || slice.items.length === 0)
    return renderMissing(input.site, cacheTags({ list: true, tags: [tag] }));
  const tags = slice.items.flatMap((post) => post.tags);
  return listing(input, tagPage(input.site, tag, slice), HTML, slice.items, tags);
}

export function renderTagIndex(input: RenderInput): Page {
  const { posts, byTag } = input.catalogue;
  return listing(input, tagIndexPage(input.site, input.catalogue), HTML, posts, byTag.keys());
}

export function renderPost(input: RenderInput, slug: string): Page {
  const { posts, bySlug } = input.catalogue;
  const post = bySlug.get(slug);
  if (post === undefined) return renderMissing(input.site, cacheTags(NAME.test(slug) ? { post: slug } : {}));
  const index = posts.indexOf(post);
  const [newer, older] = [posts[index - 1], posts[index + 1]];
  const shown = [post, newer, older].filter((one) => one !== undefined);
  return makePage({
    status: 200,
    body: postPage(input.site, post, { newer, older }),
    type: HTML,
    cache: 'page',
    tags: cacheTags({ post: post.slug, tags: post.tags }),
    modified: modified(input, shown),
    headers: HTML_HEADERS,
  });
}

export function renderFeedPage(input: RenderInput): Page {
  const { posts } = input.catalogue;
  return listing(input, renderFeed(input.site, input.catalogue), 'application/atom+xml; charset=utf-8', posts, []);
}

export function renderSitemapPage(input: RenderInput): Page {
  const { posts } = input.catalogue;
  return listing(input, renderSitemap(input.site, input.catalogue), 'application/xml; charset=utf-8', posts, []);
}

export function renderRobotsPage(input: RenderInput): Page {
  const body = renderRobots(input.site.baseUrl);
  return makePage({
    status: 200,
    body,
    type: 'text/plain; charset=utf-8',
    cache: 'stable-asset',
    tags: '',
    modified: input.built,
  });
}

export function renderFavicon(input: RenderInput): Page {
  const parts = { status: 200, body: FAVICON, type: 'image/svg+xml; charset=utf-8', cache: 'stable-asset' } as const;
  return makePage({ ...parts, tags: '', modified: input.built, headers: SVG_HEADERS });
}

export function renderImage(image: Image, immutable: boolean): Page {
  return makePage({
    status: 200,
    body: image.body,
    type: image.type,
    cache: immutable ? 'immutable' : 'stable-asset',
    tags: cacheTags({ image: image.stableUrl.slice('/images/'.length) }),
    modified: image.modified,
    headers: image.type.startsWith('image/svg') ? SVG_HEADERS : {},
  });
}

export function renderMissing(site: Site, tags: string): Page {
  return makePage({ status: 404, body: notFoundPage(site), type: HTML, cache: 'missing', tags, headers: HTML_HEADERS });
}
