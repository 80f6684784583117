import { describe, expect, it } from 'vitest';
import { buildCatalogue } from '../posts/catalogue.ts';
import { samplePost } from '../posts/sample.test-data.ts';
import { DEFAULT_SITE } from '../site.ts';
import { escapeText, markup, trusted } from './markup.ts';
import { indexPage, notFoundPage, tagIndexPage, tagPage } from './pages.ts';
import { pageCount, slicePage } from './paging.ts';
import { postPage } from './post-page.ts';

const site = { ...DEFAULT_SITE, baseUrl: 'https://blog.example.org' };
const HOSTILE = `"><script>alert(1)</script>' onload='x' &amp; {{7*7}} \${x} </title></textarea>`;

describe('markup', () => {
  it('escapes everything that is not markup, in lists too', () => {
    expect(
      markup`<p title="${'"<'}">${['a&', markup`<b>${"'"}</b>`, trusted('<i>')]}${false}${undefined}${0}</p>`.text,
    ).toBe('<p title="&quot;&lt;">a&amp;<b>&#39;</b><i>0</p>');
  });

  it('drops what XML cannot hold', () => {
    expect(escapeText('a\u0000\u0008\uffffb\tc')).toBe('ab\tc');
  });
});

describe('hostile front matter', () => {
  const post = samplePost({ title: HOSTILE, excerpt: HOSTILE });
  const slice = { items: [post], page: 1, pages: 1 };
  const named = { ...site, title: HOSTILE, description: HOSTILE };
  it.each([
    ['a post', postPage(site, post, { newer: post, older: post })],
    ['the index', indexPage(site, slice)],
    ['a tag page', tagPage(site, 'one', slice)],
    ['the site itself', tagIndexPage(named, buildCatalogue({ posts: [post], images: [], problems: [], modified: 0 }))],
    ['not found', notFoundPage(named)],
  ])('stays text in %s', (_, html) => {
    expect(html).not.toContain('<script');
    expect(html.match(/<title>/g)).toHaveLength(1);
    const outsideQuotes = html.replace(/<style>[\s\S]*<\/style>/, '').replace(/"[^"]*"/g, '');
    expect(outsideQuotes).not.toMatch(/<[^>]*\son\w+=/);
  });
});

describe('every page', () => {
  const html = postPage(
    site,
    samplePost({ slug: 'a', title: 'A', date: Date.UTC(2026, 10, 20), updated: Date.UTC(2026, 10, 21) }),
    {},
  );
  it.each([
    ['its language', '<html lang="en">'],
    ['a way past the header', '<a class="skip" href="#content">'],
    ['its one true address', '<link rel="canonical" href="https://blog.example.org/posts/a">'],
    ['the feed', '<link rel="alternate" type="application/atom+xml"'],
    ['both colour schemes', '<meta name="color-scheme" content="light dark">'],
    ['its date for people and machines', '<time datetime="2026-11-20">20 November 2026</time>'],
    ['its update', 'updated <time datetime="2026-11-21">21 November 2026</time>'],
    ['its reading time', '1 min read'],
  ])('has %s', (_, part) => {
    expect(html).toContain(part);
  });

  it('has exactly one h1 and no script', () => {
    expect(html.match(/<h1/g)).toHaveLength(1);
    expect(html).not.toMatch(/<script|javascript:/);
  });

  it('that is an error asks not to be indexed', () => {
    expect(notFoundPage(site)).toContain('<meta name="robots" content="noindex">');
  });
});

describe('pages of a list', () => {
  it.each([
    [0, 1],
    [1, 1],
    [8, 1],
    [9, 2],
    [17, 3],
  ])('%i posts fill %i pages of 8', (items, pages) => {
    expect(pageCount(items, 8)).toBe(pages);
  });

  it.each([[0], [4], [1.5], [Number.NaN]])('there is no page %d of three', (page) => {
    expect(slicePage([1, 2, 3], page, 1)).toBeUndefined();
  });

  it('link to their neighbours, the first without a number', () => {
    const html = indexPage(site, { items: [samplePost({})], page: 2, pages: 3 });
    expect(html).toContain('<a rel="prev" href="/">');
    expect(html).toContain('<a rel="next" href="/page/3">');
  });

  it('say so when there is nothing yet', () => {
    expect(indexPage(site, { items: [], page: 1, pages: 1 })).toContain('Nothing is published yet.');
  });
});
