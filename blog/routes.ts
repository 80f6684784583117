import type { Page } from './http/respond.ts';
import {
  type RenderInput,
  renderFavicon,
  renderFeedPage,
  renderImage,
  renderIndex,
  renderMissing,
  renderPost,
  renderRobotsPage,
  renderSitemapPage,
  renderTag,
  renderTagIndex,
} from './pages/render.ts';
import { stableUrlOf } from './posts/images.ts';

export interface Redirect {
  /** A path on this site. */
  readonly location: string;
  readonly status: 301 | 302 | 308;
}

export interface PageRoute {
  /** The template, as the router and the metrics know it. */
  readonly path: string;
  readonly answer: (input: RenderInput, params: Readonly<Record<string, string>>, path: string) => Page | Redirect;
}

/** 2, 3, ... without signs, leading zeros or other spellings: each page has one address. */
const PAGE = ':page{[1-9][0-9]{0,5}}';
const TAG = ':tag{[a-z0-9-]+}';

/** Every page of the site. First match wins; what matches none is a 404. */
export const PAGE_ROUTES: readonly PageRoute[] = [
  { path: '/', answer: (input) => renderIndex(input, 1) },
  { path: `/page/${PAGE}`, answer: (input, { page }) => paged('/', page, (number) => renderIndex(input, number)) },
  { path: '/posts/:slug{[a-z0-9-]+}', answer: (input, { slug = '' }) => renderPost(input, slug) },
  { path: '/tags', answer: renderTagIndex },
  { path: `/tags/${TAG}`, answer: (input, { tag = '' }) => renderTag(input, tag, 1) },
  {
    path: `/tags/${TAG}/page/${PAGE}`,
    answer: (input, { tag = '', page }) => paged(`/tags/${tag}`, page, (number) => renderTag(input, tag, number)),
  },
  { path: '/feed.xml', answer: renderFeedPage },
  { path: '/sitemap.xml', answer: renderSitemapPage },
  { path: '/robots.txt', answer: renderRobotsPage },
  { path: '/favicon.svg', answer: renderFavicon },
  { path: '/images/*', answer: (input, _, path) => image(input, path) },
  { path: '/assets/*', answer: (input, _, path) => image(input, path) },
];

function paged(first: string, page: string | undefined, render: (page: number) => Page): Page | Redirect {
  return page === '1' ? { location: first, status: 301 } : render(Number(page));
}

function image(input: RenderInput, path: string): Page | Redirect {
  const found = input.catalogue.images.get(path);
  if (found !== undefined) return renderImage(found, path === found.hashedUrl);
  // A stored page may still name a picture that was redrawn since: show the present one.
  const stable = stableUrlOf(path);
  const present = stable !== undefined && input.catalogue.images.has(stable);
  return present ? { location: stable, status: 302 } : renderMissing(input.site, '');
}
