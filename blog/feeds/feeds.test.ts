import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import { buildCatalogue } from '../posts/catalogue.ts';
import { describeImage } from '../posts/images.ts';
import { renderMarkdown } from '../posts/markdown.ts';
import { samplePost } from '../posts/sample.test-data.ts';
import { DEFAULT_SITE } from '../site.ts';
import { renderFeed } from './feed.ts';
import { renderRobots } from './robots.ts';
import { renderSitemap } from './sitemap.ts';

const site = { ...DEFAULT_SITE, baseUrl: 'https://blog.example.org', postsPerPage: 2 };
const image = describeImage('images/a.svg', new TextEncoder().encode('<svg/>'), 0);
const body =
  '## Über\n\n![a "b"](images/a.svg)\n\n[here](#uber) [there](/tags) [away](https://x.example/?a=1&b=2) `src="/x"` ]]>';
const { html } = renderMarkdown('a.md', body, 0, new Map([[image.file, image]]));
const catalogue = buildCatalogue({
  posts: [
    samplePost({ slug: 'a', title: 'A < B & "C"', html, images: [image], tags: ['x'], date: Date.UTC(2026, 10, 1) }),
    samplePost({
      slug: 'b',
      title: '\u0001]]>',
      tags: ['x', 'y'],
      date: Date.UTC(2026, 10, 2),
      updated: Date.UTC(2026, 10, 9, 8, 7, 6),
    }),
    samplePost({ slug: 'c', tags: ['x'], date: Date.UTC(2026, 10, 3) }),
  ],
  images: [image],
  problems: [],
  modified: 0,
});

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  isArray: (name) => ['entry', 'link', 'url'].includes(name),
});

interface Entry {
  id: string;
  title: string;
  published: string;
  updated: string;
  summary: string;
  content: { '#text': string; '@type': string };
  link: readonly { '@href': string; '@rel': string }[];
}

describe('the Atom feed, RFC 4287', () => {
  const xml = renderFeed(site, catalogue);
  const { feed } = parser.parse(xml) as { feed: Omit<Entry, 'content'> & { author: { name: string }; entry: Entry[] } };

  it('is well-formed and has all that §4.1.1 asks for', () => {
    expect(XMLValidator.validate(xml)).toBe(true);
    expect(feed.id).toBe('https://blog.example.org/');
    expect(feed.title).toBe('Porchlight');
    expect(feed.updated).toBe('2026-11-09T08:07:06Z');
    expect(feed.author.name).not.toBe('');
    expect(feed.link.find((link) => link['@rel'] === 'self')?.['@href']).toBe('https://blog.example.org/feed.xml');
  });

  it('has entries newest first, each with all that §4.1.2 asks for and an id of its own', () => {
    expect(feed.entry.map((entry) => entry.id)).toEqual(
      ['c', 'b', 'a'].map((slug) => `https://blog.example.org/posts/${slug}`),
    );
    for (const entry of feed.entry) {
      expect(entry.updated).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(entry.title).not.toBe('');
      expect(entry.summary).not.toBe('');
    }
  });

  it('carries whole posts whose addresses work from anywhere, and leaves text that looks like one alone', () => {
    const content = feed.entry[2]?.content['#text'] ?? '';
    expect(content).toContain(`src="https://blog.example.org${image.hashedUrl}"`);
    expect(content).toContain('href="https://blog.example.org/tags"');
    expect(content).toContain('href="https://blog.example.org/posts/a#uber"');
    expect(content).toContain('href="https://x.example/?a=1');
    expect(content).toContain('<code>src=&quot;/x&quot;</code>');
  });

  it('is valid with no posts', () => {
    const empty = renderFeed(site, buildCatalogue({ posts: [], images: [], problems: [], modified: 0 }));
    expect(XMLValidator.validate(empty)).toBe(true);
    expect(empty).toContain('<updated>1970-01-01T00:00:00Z</updated>');
  });
});

describe('the sitemap', () => {
  const xml = renderSitemap(site, catalogue);
  const { urlset } = parser.parse(xml) as { urlset: { url: { loc: string; lastmod?: string }[] } };

  it('lists every page once, under the configured origin', () => {
    expect(XMLValidator.validate(xml)).toBe(true);
    expect(urlset.url.map((entry) => entry.loc.replace('https://blog.example.org', ''))).toEqual([
      '/',
      '/page/2',
      '/posts/c',
      '/posts/b',
      '/posts/a',
      '/tags',
      '/tags/x',
      '/tags/x/page/2',
      '/tags/y',
    ]);
    expect(urlset.url[3]?.lastmod).toBe('2026-11-09T08:07:06Z');
  });

  it('lists the pictures of a post, so that a cache can warm them too', () => {
    expect(xml).toContain(
      `<image:image><image:loc>https://blog.example.org${image.hashedUrl}</image:loc></image:image>`,
    );
  });
});

it('robots.txt names the sitemap by its absolute address, RFC 9309', () => {
  expect(renderRobots('https://blog.example.org')).toMatch(
    /^User-agent: \*\n(Disallow: \/\w+\n)+\nSitemap: https:\/\/blog\.example\.org\/sitemap\.xml\n$/,
  );
});
