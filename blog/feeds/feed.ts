import { type Markup, markup } from '../pages/markup.ts';
import type { Catalogue } from '../posts/catalogue.ts';
import type { Post } from '../posts/post.ts';
import type { Site } from '../site.ts';

const ENTRIES = 20;

/** The newest posts in full as an Atom feed (RFC 4287). */
export function renderFeed(site: Site, catalogue: Catalogue): string {
  const posts = catalogue.posts.slice(0, ENTRIES);
  const updated = Math.max(0, ...posts.map(lastChange));
  return markup`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${site.language}">
  <title>${site.title}</title>
  <subtitle>${site.description}</subtitle>
  <id>${site.baseUrl}/</id>
  <link rel="self" type="application/atom+xml" href="${site.baseUrl}/feed.xml"/>
  <link rel="alternate" type="text/html" href="${site.baseUrl}/"/>
  <updated>${instant(updated)}</updated>
  <author><name>${site.author}</name></author>
${posts.map((post) => entry(site, post))}</feed>
`.text;
}

function entry(site: Site, post: Post): Markup {
  const url = site.baseUrl + post.url;
  return markup`  <entry>
    <title>${post.title}</title>
    <id>${url}</id>
    <link rel="alternate" type="text/html" href="${url}"/>
    <published>${instant(post.date)}</published>
    <updated>${instant(lastChange(post))}</updated>
${post.tags.map((tag) => markup`    <category term="${tag}"/>\n`)}    <summary>${post.excerpt}</summary>
    <content type="html">${absolute(post.html, site.baseUrl, url)}</content>
  </entry>
`;
}

/**
 * Readers show content far from the site, and not all honour xml:base: addresses are made absolute.
 * The renderer escapes every quote outside its own attributes, so these patterns meet attributes only.
 */
function absolute(html: string, baseUrl: string, postUrl: string): string {
  return html
    .replace(/ (src|href)="\/(?!\/)/g, (_, name: string) => ` ${name}="${baseUrl}/`)
    .replace(/<a class="anchor"[^>]*>#<\/a>/g, '')
    .replace(/ href="#/g, () => ` href="${postUrl}#`);
}

export function lastChange(post: Post): number {
  return post.updated ?? post.date;
}

export function instant(time: number): string {
  return new Date(time).toISOString().replace('.000Z', 'Z');
}
