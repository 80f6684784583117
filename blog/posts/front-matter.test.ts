import { describe, expect, it } from 'vitest';
import { parseFrontMatter } from './front-matter.ts';
import { describeProblem } from './problem.ts';

const GOOD = {
  title: 'title: Hello',
  date: 'date: 2026-11-20',
  tags: 'tags: [caching, home-lab]',
  excerpt: 'excerpt: A word.',
  slug: 'slug: hello',
};

function post(changes: Record<string, string | undefined>): string {
  const lines = Object.values({ ...GOOD, ...changes }).filter((line) => line !== undefined);
  return `---\n${lines.join('\n')}\n---\nBody\n`;
}

function problems(source: string): readonly string[] {
  const result = parseFrontMatter('a.md', source);
  return result.ok ? [] : result.problems.map(describeProblem);
}

describe('a good front matter', () => {
  it('is read field by field, and the body starts after it', () => {
    expect(parseFrontMatter('a.md', post({}))).toEqual({
      ok: true,
      value: {
        title: 'Hello',
        slug: 'hello',
        excerpt: 'A word.',
        tags: ['caching', 'home-lab'],
        date: Date.UTC(2026, 10, 20),
        draft: false,
      },
      body: 'Body\n',
      bodyLine: 7,
    });
  });

  it.each([
    ['an instant with an offset', 'date: 2026-11-20T18:30:00+01:00', Date.UTC(2026, 10, 20, 17, 30)],
    ['an instant in UTC', 'date: "2026-11-20 18:30Z"', Date.UTC(2026, 10, 20, 18, 30)],
    ['a leap day', 'date: 2028-02-29', Date.UTC(2028, 1, 29)],
  ])('accepts %s', (_, date, time) => {
    const result = parseFrontMatter('a.md', post({ date }));
    expect(result.ok && result.value.date).toBe(time);
  });

  it('accepts updated, draft, a byte order mark and Windows line ends', () => {
    const source = post({ updated: 'updated: 2026-11-21', draft: 'draft: true' });
    const result = parseFrontMatter('a.md', `\uFEFF${source.replaceAll('\n', '\r\n')}`);
    expect(result.ok && result.value).toMatchObject({ updated: Date.UTC(2026, 10, 21), draft: true });
  });
});

describe('a bad front matter is refused with file, line, field and what to do', () => {
  it.each([
    ['no front matter', 'Just text', 'a.md:1: front matter: the file must begin with a line "---"'],
    ['an empty file', '', 'a.md:1: front matter: the file must begin'],
    ['never closed', '---\ntitle: x\n', 'a.md:1: front matter: the opening "---" is never closed'],
    ['not YAML', '---\ntitle: "x\n---\n', 'a.md:2: front matter: not valid YAML'],
    ['a list', '---\n- x\n---\n', 'a.md:2: front matter: must be "field: value" lines'],
    ['a field twice', post({ again: 'title: Again' }), 'a.md:7: front matter: not valid YAML: Map keys must be unique'],
    ['no title', post({ title: undefined }), 'a.md:1: title: missing; add a line "title: ..."'],
    ['an empty title', post({ title: 'title: "  "' }), 'a.md:2: title: is empty'],
    ['a title that is a number', post({ title: 'title: 42' }), 'a.md:2: title: must be text; put it in double quotes'],
    ['a title that is a map', post({ title: 'title: {a: b}' }), 'a.md:2: title: must be text'],
    [
      'a long title',
      post({ title: `title: ${'x'.repeat(201)}` }),
      'a.md:2: title: has 201 characters; shorten it to 200',
    ],
    ['a control character', post({ title: 'title: "a\\u0001b"' }), 'a.md:2: title: contains control characters'],
    ['a date in words', post({ date: 'date: yesterday' }), 'a.md:3: date: must be a day such as 2026-11-20'],
    ['a local time', post({ date: 'date: 2026-11-20T18:30:00' }), 'a.md:3: date: must be a day such as'],
    ['30 February', post({ date: 'date: 2026-02-30' }), 'a.md:3: date: "2026-02-30" is not a day of the calendar'],
    ['an impossible hour', post({ date: 'date: 2026-02-01T25:00Z' }), 'a.md:3: date: "2026-02-01T25:00Z" is not a day'],
    ['tags as text', post({ tags: 'tags: caching' }), 'a.md:4: tags: must be a list of 1 to 12 tags'],
    ['no tags', post({ tags: 'tags: []' }), 'a.md:4: tags: must be a list of 1 to 12 tags'],
    ['a tag with a comma', post({ tags: 'tags: ["a,b"]' }), 'a.md:4: tags: tag "a,b" must be lower-case letters'],
    ['a tag with a capital', post({ tags: 'tags: [Edge]' }), 'a.md:4: tags: tag "Edge" must be lower-case'],
    ['a tag twice', post({ tags: 'tags: [edge, edge]' }), 'a.md:4: tags: names a tag twice'],
    ['a slug with a slash', post({ slug: 'slug: a/b' }), 'a.md:6: slug: must be lower-case letters'],
    ['a slug that climbs', post({ slug: 'slug: ..' }), 'a.md:6: slug: must be lower-case letters'],
    ['an alias', post({ title: 'title: &a Hello', excerpt: 'excerpt: *a' }), 'a.md:5: excerpt: must be text'],
    ['an unknown field', post({ author: 'author: me' }), 'a.md:7: author: unknown field; the fields are title, date'],
    ['a draft in words', post({ draft: 'draft: "yes"' }), 'a.md:7: draft: must be true or false'],
    ['updated before date', post({ updated: 'updated: 2026-11-19' }), 'a.md:7: updated: lies before date'],
  ])('%s', (_, source, message) => {
    expect(problems(source).join('\n')).toContain(message);
  });

  it('lists every problem at once, in the order of the lines', () => {
    const found = problems(post({ title: undefined, date: 'date: soon', tags: 'tags: []', draft: 'draft: 1' }));
    expect(found.map((line) => line.split(': ')[1])).toEqual(['title', 'date', 'tags', 'draft']);
  });
});
