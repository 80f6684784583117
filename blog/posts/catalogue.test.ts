import { expect, it } from 'vitest';
import { buildCatalogue } from './catalogue.ts';
import { describeImage } from './images.ts';
import { samplePost } from './sample.test-data.ts';

const parts = { images: [], problems: [], modified: 0 };

it('orders posts newest first and by slug within a day, and groups them by tag in alphabetical order', () => {
  const posts = [
    samplePost({ slug: 'b', date: 1, tags: ['y'] }),
    samplePost({ slug: 'a', date: 1, tags: ['y', 'x'] }),
    samplePost({ slug: 'c', date: 2, tags: ['x'] }),
    samplePost({ slug: 'd', date: 3, draft: true }),
  ];
  const catalogue = buildCatalogue({ ...parts, posts });
  expect(catalogue.posts.map((post) => post.slug)).toEqual(['c', 'a', 'b']);
  expect([...catalogue.byTag].map(([tag, tagged]) => [tag, tagged.map((post) => post.slug)])).toEqual([
    ['x', ['c', 'a']],
    ['y', ['a', 'b']],
  ]);
  expect(catalogue.bySlug.has('d')).toBe(false);
});

it('gives a slug claimed twice to its present owner, else to the first file', () => {
  const posts = [samplePost({ file: 'b.md', slug: 's' }), samplePost({ file: 'a.md', slug: 's' })];
  expect(buildCatalogue({ ...parts, posts }).bySlug.get('s')?.file).toBe('a.md');
  const owners = new Map([['s', 'b.md']]);
  expect(buildCatalogue({ ...parts, posts, owners }).bySlug.get('s')?.file).toBe('b.md');
});

it('serves one of two pictures with the same address and names both', () => {
  const images = ['a.svg', 'images/a.svg'].map((file) => describeImage(file, new Uint8Array(), 0));
  const catalogue = buildCatalogue({ ...parts, posts: [], images });
  expect(catalogue.images.get('/images/a.svg')?.file).toBe('a.svg');
  expect(catalogue.problems).toMatchObject([{ file: 'images/a.svg', field: 'file' }]);
});
