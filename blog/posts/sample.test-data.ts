import { type Post, postUrl } from './post.ts';

/** A post with plausible values, for tests that care about one or two of them. */
export function samplePost(values: Partial<Post>): Post {
  const slug = values.slug ?? 'sample';
  return {
    file: `${slug}.md`,
    title: 'Sample',
    slug,
    url: postUrl(slug),
    excerpt: 'An excerpt.',
    tags: ['one'],
    date: 0,
    draft: false,
    html: '<p>Text</p>\n',
    minutes: 1,
    images: [],
    modified: 0,
    ...values,
  };
}
