import type { Site } from '../site.ts';
import { MARK } from './mark.ts';
import { type Markup, markup, type Part, trusted } from './markup.ts';
import { STYLE } from './style.ts';

export interface PageInfo {
  readonly title: string;
  readonly description: string;
  /** Path of the page's one true address; absent for errors. */
  readonly path?: string;
  /** Open Graph type. */
  readonly kind?: 'website' | 'article';
  /** Further elements of the head. */
  readonly head?: Part;
}

/** The frame around every page. */
export function layout(site: Site, info: PageInfo, content: Markup): string {
  const title = info.path === '/' ? site.title : `${info.title} · ${site.title}`;
  return markup`<!doctype html>
<html lang="${site.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<meta name="description" content="${info.description}">
<meta name="color-scheme" content="light dark">
<meta name="theme-color" content="#f6f7f5" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#0f161d" media="(prefers-color-scheme: dark)">
${addresses(site, info)}<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<link rel="alternate" type="application/atom+xml" title="${site.title}" href="/feed.xml">
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<div class="page">
<header class="top">
<a class="home" href="/">${MARK}${site.title}</a>
<nav aria-label="Site"><a href="/tags">Tags</a> &nbsp; <a href="/feed.xml">Feed</a></nav>
</header>
<main id="content" tabindex="-1">
${content}
</main>
<footer class="end"><p>${site.description} No scripts, no cookies.</p></footer>
</div>
</body>
</html>
`.text;
}

function addresses(site: Site, info: PageInfo): Part {
  if (info.path === undefined) return markup`<meta name="robots" content="noindex">\n`;
  return markup`<link rel="canonical" href="${site.baseUrl}${info.path}">
<meta property="og:title" content="${info.title}">
<meta property="og:description" content="${info.description}">
<meta property="og:type" content="${info.kind ?? 'website'}">
<meta property="og:url" content="${site.baseUrl}${info.path}">
<meta property="og:site_name" content="${site.title}">
${info.head}`;
}
