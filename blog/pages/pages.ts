import type { Catalogue } from '../posts/catalogue.ts';
import type { Post } from '../posts/post.ts';
import type { Site } from '../site.ts';
import { layout } from './layout.ts';
import { markup } from './markup.ts';
import type { Slice } from './paging.ts';
import { pager, postList } from './parts.ts';

export function indexPage(site: Site, slice: Slice<Post>): string {
  const path = slice.page === 1 ? '/' : `/page/${slice.page}`;
  const title = slice.page === 1 ? site.title : `Page ${slice.page}`;
  const content = markup`${
    slice.page === 1
      ? markup`<h1>The light stays on, even when nobody is home.</h1>\n<p class="lead">${site.description}</p>`
      : markup`<h1>Older posts</h1>\n<p class="lead">Page ${slice.page} of ${slice.pages}</p>`
  }
${slice.items.length === 0 ? markup`<p class="lead">Nothing is published yet.</p>` : postList(slice.items)}
${pager('', slice)}`;
  return layout(site, { title, description: site.description, path }, content);
}

export function tagPage(site: Site, tag: string, slice: Slice<Post>): string {
  const base = `/tags/${tag}`;
  const path = slice.page === 1 ? base : `${base}/page/${slice.page}`;
  const content = markup`<p class="meta"><a href="/tags">Tags</a></p>
<h1>${tag}</h1>
${postList(slice.items)}
${pager(base, slice)}`;
  return layout(site, { title: tag, description: `Posts tagged ${tag}.`, path }, content);
}

export function tagIndexPage(site: Site, catalogue: Catalogue): string {
  const tags = [...catalogue.byTag].map(
    ([tag, posts]) => markup`<li><a href="/tags/${tag}">${tag}</a> <span class="count">${posts.length}</span></li>`,
  );
  const content = markup`<h1>Tags</h1>
${tags.length === 0 ? markup`<p class="lead">Nothing is published yet.</p>` : markup`<ul class="index">${tags}</ul>`}`;
  return layout(site, { title: 'Tags', description: `Every tag on ${site.title}.`, path: '/tags' }, content);
}

export function notFoundPage(site: Site): string {
  const content = markup`<h1>Nobody lives at this address.</h1>
<p class="lead">The page was moved, was never written, or the link lost a letter on its way here.
The <a href="/">front door</a> is open, and the <a href="/tags">list of tags</a> may know more.</p>`;
  return layout(site, { title: 'Not found', description: 'There is no page at this address.' }, content);
}

export function unavailablePage(site: Site): string {
  const content = markup`<h1>The lamp is being lit.</h1>
<p class="lead">The blog has just started and is still reading its posts. Please try again in a few seconds.</p>`;
  return layout(site, { title: 'Just a moment', description: 'The blog is starting.' }, content);
}
