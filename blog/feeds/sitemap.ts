import { type Markup, markup } from '../pages/markup.ts';
import { pageCount } from '../pages/paging.ts';
import type { Catalogue } from '../posts/catalogue.ts';
import type { Site } from '../site.ts';
import { instant, lastChange } from './feed.ts';

interface Entry {
  readonly path: string;
  readonly changed?: number;
  readonly images?: readonly string[];
}

/**
 * Every page a reader can reach, with the pictures it shows: https://www.sitemaps.org/protocol.html and the
 * image extension. Complete on purpose: a cache in front of the blog warms itself from it.
 */
export function renderSitemap(site: Site, catalogue: Catalogue): string {
  return markup`<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
${listEntries(site, catalogue).map((entry) => renderEntry(site, entry))}</urlset>
`.text;
}

function listEntries(site: Site, catalogue: Catalogue): readonly Entry[] {
  const paged = (base: string, count: number): Entry[] =>
    Array.from({ length: pageCount(count, site.postsPerPage) }, (_, index) => ({
      path: index === 0 ? base || '/' : `${base}/page/${index + 1}`,
    }));
  return [
    ...paged('', catalogue.posts.length),
    ...catalogue.posts.map((post) => ({
      path: post.url,
      changed: lastChange(post),
      images: post.images.map((image) => image.hashedUrl),
    })),
    { path: '/tags' },
    ...[...catalogue.byTag].flatMap(([tag, posts]) => paged(`/tags/${tag}`, posts.length)),
  ];
}

function renderEntry(site: Site, entry: Entry): Markup {
  const changed = entry.changed === undefined ? undefined : markup`<lastmod>${instant(entry.changed)}</lastmod>`;
  const images = entry.images?.map(
    (path) => markup`<image:image><image:loc>${site.baseUrl}${path}</image:loc></image:image>`,
  );
  return markup`  <url><loc>${site.baseUrl}${entry.path}</loc>${changed}${images}</url>
`;
}
