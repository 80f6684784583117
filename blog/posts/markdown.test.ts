import { describe, expect, it } from 'vitest';
import { describeImage } from './images.ts';
import { renderMarkdown } from './markdown.ts';

const svg = new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 316"></svg>');
const picture = describeImage('images/tiers.svg', svg, 0);
const images = new Map([[picture.file, picture]]);
const html = (body: string) => renderMarkdown('a.md', body, 0, images).html;

describe('what is not safe stays text', () => {
  it.each([
    ['a script', '<script>alert(1)</script>'],
    ['an inline handler', 'x <img src=x onerror=alert(1)> y'],
    ['a comment', '<!-- <script>x</script> -->'],
    ['a javascript link', '[x](javascript:alert(1))'],
    ['a javascript link in disguise', '[x](JaVaScRiPt&#58;alert(1))'],
    ['a javascript link with a tab', '[x](java&#9;script:alert(1))'],
    ['a data link', '[x](data:text/html,<script>alert(1)</script>)'],
    ['a vbscript autolink', '<vbscript:msgbox>'],
    ['a hostile title', '[x](/ "\\" onmouseover=alert(1) x=\\"")'],
    ['a hostile picture text', '![" onerror=alert(1) "](images/tiers.svg "<script>alert(1)</script>")'],
    ['a hostile language', '```"><script>alert(1)</script>\nx\n```'],
    ['a script in code', '```html\n<script>alert(1)</script>\n```'],
    ['a script in a heading', '# <script>alert(1)</script>'],
    ['a script in a table', '| a |\n|---|\n| <script>alert(1)</script> |'],
  ])('%s', (_, body) => {
    const rendered = html(body);
    const tags = [...rendered.matchAll(/<(\w+)([^>]*)>/g)];
    expect(tags.map(([, name]) => name)).not.toContain('script');
    for (const [, , attributes = ''] of tags) {
      // Quoted values are data; what remains are attribute names.
      expect(attributes.replace(/"[^"]*"/g, '')).not.toMatch(/\bon\w+/);
      expect(attributes).not.toMatch(/(?:href|src)="\s*(?:javascript|data|vbscript):/i);
    }
  });
});

describe('pictures', () => {
  it('stand alone as figures with their title as caption, under an address that names their content', () => {
    expect(html('![Three shelves](images/tiers.svg "A caption")')).toBe(
      `<figure><img src="${picture.hashedUrl}" alt="Three shelves" width="560" height="316" loading="lazy" decoding="async"><figcaption>A caption</figcaption></figure>\n`,
    );
  });

  it('stay in the line when there is text around them', () => {
    expect(html('See ![x](/images/tiers.svg "t") here')).toMatch(/^<p>See <img .*title="t".*> here<\/p>$/m);
  });

  it.each([
    ['a missing file', '![x](images/no.svg)', '"images/no.svg" is not in the content directory'],
    ['a path out of the content', '![x](../../etc/passwd)', 'is not in the content directory'],
  ])('%s is a problem with its line', (_, body, message) => {
    const { problems } = renderMarkdown('a.md', `one\n\n${body}`, 7, images);
    expect(problems).toMatchObject([{ file: 'a.md', line: 10, field: 'image' }]);
    expect(problems[0]?.message).toContain(message);
  });
});

describe('text', () => {
  it('gives every heading its own anchor, and leaves the h1 to the title', () => {
    const rendered = html('# One\n\n## Über\n\n## One 2\n\n## One');
    expect([...rendered.matchAll(/<h2 id="([^"]+)"/g)].map(([, id]) => id)).toEqual(['one', 'uber', 'one-2', 'one-3']);
  });

  it('colours code by class, never by style', () => {
    const rendered = html('```typescript\n/** Why. */\nconst x: number = 1;\n```');
    expect(rendered).toContain('<pre tabindex="0" data-lang="typescript">');
    expect(rendered).toContain('<span class="hl-comment">/** Why. */</span>');
    expect(rendered).toContain('<span class="hl-keyword">const</span>');
    expect(rendered).not.toContain('style=');
  });

  it('shows code in an unknown language plain', () => {
    expect(html('```klingon\na < b\n```')).toContain('<code>a &lt; b</code>');
  });

  it('counts words, not marks', () => {
    expect(renderMarkdown('a.md', '**One** two, _three_ -- four!', 0, images).words).toBe(4);
  });
});
