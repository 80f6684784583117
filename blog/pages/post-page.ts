import { instant } from '../feeds/feed.ts';
import type { Post } from '../posts/post.ts';
import type { Site } from '../site.ts';
import { layout } from './layout.ts';
import { type Markup, markup, type Part, trusted } from './markup.ts';
import { day, tagList } from './parts.ts';

export interface Neighbours {
  readonly older?: Post | undefined;
  readonly newer?: Post | undefined;
}

export function postPage(site: Site, post: Post, neighbours: Neighbours): string {
  const updated = post.updated !== undefined && markup` · updated ${day(post.updated)}`;
  const content = markup`<article>
<header>
<p class="meta">${day(post.date)}${updated} · ${post.minutes} min read</p>
<h1>${post.title}</h1>
<p class="lead">${post.excerpt}</p>
</header>
<div class="prose">
${trusted(post.html)}</div>
<footer>${tagList(post.tags)}</footer>
</article>
${turn(neighbours)}`;
  const info = {
    title: post.title,
    description: post.excerpt,
    path: post.url,
    kind: 'article',
    head: head(post),
  } as const;
  return layout(site, info, content);
}

function head(post: Post): Markup {
  return markup`<meta property="article:published_time" content="${instant(post.date)}">
<meta property="article:modified_time" content="${instant(post.updated ?? post.date)}">
${post.tags.map((tag) => markup`<meta property="article:tag" content="${tag}">\n`)}`;
}

function turn({ older, newer }: Neighbours): Part {
  if (older === undefined && newer === undefined) return undefined;
  const link = (rel: string, label: string, post: Post | undefined) =>
    post &&
    markup`<a rel="${rel}" href="${post.url}"><small>${label}</small><span class="name">${post.title}</span></a>`;
  return markup`<nav class="turn" aria-label="Posts">${link('prev', 'Earlier', older)}${link('next', 'Later', newer)}</nav>`;
}
