import type { Post } from '../posts/post.ts';
import { type Markup, markup, type Part } from './markup.ts';
import type { Slice } from './paging.ts';

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });

/** The day in UTC: the same on every machine that renders the page. */
export function day(time: number): Markup {
  return markup`<time datetime="${new Date(time).toISOString().slice(0, 10)}">${DAY.format(time)}</time>`;
}

export function tagList(tags: readonly string[]): Markup {
  return markup`<ul class="tags" aria-label="Tags">${tags.map((tag) => markup`<li><a href="/tags/${tag}" rel="tag">${tag}</a></li>`)}</ul>`;
}

export function postList(posts: readonly Post[]): Markup {
  return markup`<ol class="posts">${posts.map(
    (post) => markup`<li>
<p class="meta">${day(post.date)} · ${post.minutes} min</p>
<h2><a href="${post.url}">${post.title}</a></h2>
<p>${post.excerpt}</p>
</li>`,
  )}</ol>`;
}

/** Newer and older pages of a list. `base` is the list's path without a trailing slash; empty for the index. */
export function pager(base: string, slice: Slice<Post>): Part {
  if (slice.pages === 1) return undefined;
  const url = (page: number) => (page === 1 ? base || '/' : `${base}/page/${page}`);
  const newer =
    slice.page > 1 && markup`<a rel="prev" href="${url(slice.page - 1)}"><span class="name">Newer posts</span></a>`;
  const older =
    slice.page < slice.pages &&
    markup`<a rel="next" href="${url(slice.page + 1)}"><span class="name">Older posts</span></a>`;
  return markup`<nav class="turn" aria-label="Pages">${newer}${older}</nav>`;
}
