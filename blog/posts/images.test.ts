import { describe, expect, it } from 'vitest';
import { describeImage, isImageFile, resolveImage, stableUrlOf } from './images.ts';

const bytes = new TextEncoder().encode('<svg viewBox="0 0 10 20"/>');

describe('addresses of pictures', () => {
  it.each([
    ['images/a.svg', '/images/a.svg', /^\/assets\/a\.[0-9a-f]{16}\.svg$/],
    ['trip/a b.svg', '/images/trip/a%20b.svg', /^\/assets\/trip\/a%20b\.[0-9a-f]{16}\.svg$/],
  ])('%s', (file, stable, hashed) => {
    const image = describeImage(file, bytes, 0);
    expect(image).toMatchObject({ stableUrl: stable, size: { width: 10, height: 20 } });
    expect(image.hashedUrl).toMatch(hashed);
    expect(stableUrlOf(image.hashedUrl)).toBe(stable);
  });

  it('change with the content and only with it', () => {
    const other = describeImage('images/a.svg', new TextEncoder().encode('<svg/>'), 0);
    expect(describeImage('images/a.svg', bytes, 5).hashedUrl).toBe(describeImage('images/a.svg', bytes, 0).hashedUrl);
    expect(describeImage('images/a.svg', bytes, 0).hashedUrl).not.toBe(other.hashedUrl);
  });
});

it.each([
  ['post.md', 'images/a.svg', 'images/a.svg'],
  ['post.md', '/images/a.svg', 'images/a.svg'],
  ['trip/post.md', 'a.svg', 'trip/a.svg'],
  ['trip/post.md', '../images/a%20b.svg?x#y', 'images/a b.svg'],
  ['post.md', '../secret.svg', undefined],
  ['post.md', '%2e%2e/secret.svg', undefined],
  ['post.md', '%', undefined],
])('in %s, %s is %s', (post, reference, file) => {
  expect(resolveImage(post, reference)).toBe(file);
});

it.each([
  ['a.svg', true],
  ['a.JPG', true],
  ['a.md', false],
  ['constructor', false],
  ['a.html', false],
])('%s is a picture: %s', (file, is) => {
  expect(isImageFile(file)).toBe(is);
});
