import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createBlog } from './blog.ts';

const contentDir = fileURLToPath(new URL('content', import.meta.url));
const { app } = createBlog({ contentDir, baseUrl: 'https://blog.example.org' });
const get = async (path: string) => await app.request(path);

describe('the posts that come with the project', () => {
  it('have no problems', async () => {
    await get('/');
    expect(await (await get('/ready')).json()).toEqual({ status: 'ready', posts: 5, problems: [] });
  });

  it('link only to pages and pictures that exist', async () => {
    const sitemap = await (await get('/sitemap.xml')).text();
    const pages = [...sitemap.matchAll(/<loc>https:\/\/blog\.example\.org([^<]*)<\/loc>/g)].map(
      ([, path = '']) => path,
    );
    expect(pages.length).toBeGreaterThan(10);
    const targets = new Set(pages);
    for (const page of pages) {
      const html = await (await get(page)).text();
      for (const [, target = ''] of html.matchAll(/ (?:href|src)="(\/[^"#]*)/g)) targets.add(target);
    }
    for (const target of targets) expect([target, (await get(target)).status]).toEqual([target, 200]);
  });

  it('have pictures that name and describe themselves and load nothing', async () => {
    const sitemap = await (await get('/sitemap.xml')).text();
    const pictures = [...sitemap.matchAll(/<image:loc>https:\/\/blog\.example\.org([^<]*)</g)].map(
      ([, path = '']) => path,
    );
    expect(pictures).toHaveLength(5);
    for (const picture of pictures) {
      const svg = await (await get(picture)).text();
      expect(svg).toMatch(
        /role="img" aria-labelledby="t d">\s*<title id="t">[^<]+<\/title>\s*<desc id="d">[^<]+<\/desc>/,
      );
      expect(svg).toContain('prefers-color-scheme: dark');
      expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/<script|href=|url\(|https?:/);
    }
  });
});
