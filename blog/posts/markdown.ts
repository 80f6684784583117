import MarkdownIt, { type Token } from 'markdown-it';
import { escapeText } from '../pages/markup.ts';
import { highlight } from './highlight.ts';
import { type Image, resolveImage } from './images.ts';
import type { Problem } from './problem.ts';

export interface Rendered {
  /** Safe HTML: raw HTML in the source is shown as text, links carry harmless schemes only. */
  readonly html: string;
  readonly words: number;
  /** The pictures the text shows, in order, each once. */
  readonly images: readonly Image[];
  readonly problems: readonly Problem[];
}

interface Scope {
  readonly file: string;
  readonly bodyLine: number;
  readonly images: ReadonlyMap<string, Image>;
  readonly used: Set<Image>;
  readonly problems: Problem[];
  readonly ids: Set<string>;
}

/** Schemes an author may link to; anything else with a scheme is left as plain text. */
const SAFE_LINK = /^(?:https?:|mailto:|(?![a-z][a-z0-9+.-]*:))/i;

// `html: false` stays: figures, the one thing raw HTML was needed for, are written ![alt](file "caption").
const engine = new MarkdownIt({ html: false, linkify: false, typographer: true });
engine.validateLink = (url) => SAFE_LINK.test(url.trim());

engine.core.ruler.push('porchlight', (state) => {
  const scope = state.env.scope as Scope;
  demoteHeadings(state.tokens);
  for (const [index, token] of state.tokens.entries()) {
    if (token.type === 'inline') resolveImages(token, scope);
    if (token.type === 'heading_open') token.attrSet('id', headingId(state.tokens[index + 1]?.content ?? '', scope));
  }
  makeFigures(state.tokens);
});

engine.renderer.rules.image = (tokens, index, options, env, renderer) => {
  const token = tokens[index];
  if (!token) return '';
  const caption = String(token.attrGet('title') ?? '');
  token.attrSet('alt', renderer.renderInlineAsText(token.children ?? [], options, env));
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== 'title' || token.meta?.figure !== true);
  const image = `<img${renderer.renderAttrs(token)} loading="lazy" decoding="async">`;
  if (token.meta?.figure !== true) return image;
  return `${image}${caption === '' ? '' : `<figcaption>${escapeText(caption)}</figcaption>`}`;
};

engine.renderer.rules.heading_close = (tokens, index) => {
  const id = String(tokens[index - 2]?.attrGet('id') ?? '');
  const anchor = `<a class="anchor" href="#${escapeText(id)}" aria-label="Link to this section">#</a>`;
  return ` ${anchor}</${tokens[index]?.tag}>\n`;
};

engine.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index];
  const language = (token?.info ?? '').trim().split(/\s+/)[0] ?? '';
  const code = (token?.content ?? '').replace(/\n$/, '');
  const label = language === '' ? '' : ` data-lang="${escapeText(language)}"`;
  return `<pre tabindex="0"${label}><code>${highlight(code, language)}</code></pre>\n`;
};

engine.renderer.rules.table_open = () => '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>\n';
engine.renderer.rules.table_close = () => '</table></div>\n';

/** Renders one post's Markdown. `bodyLine` is the number of lines before the body, for messages. */
export function renderMarkdown(
  file: string,
  body: string,
  bodyLine: number,
  images: ReadonlyMap<string, Image>,
): Rendered {
  const scope: Scope = { file, bodyLine, images, used: new Set(), problems: [], ids: new Set() };
  const html = engine.render(body, { scope });
  const words = body.match(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu)?.length ?? 0;
  return { html, words, images: [...scope.used], problems: scope.problems };
}

function resolveImages(inline: Token, scope: Scope): void {
  for (const token of inline.children ?? []) {
    if (token.type !== 'image') continue;
    const source = String(token.attrGet('src') ?? '');
    if (/^(?:https?:)?\/\//i.test(source)) continue;
    const target = resolveImage(scope.file, source);
    const image = target === undefined ? undefined : scope.images.get(target);
    if (image === undefined) {
      const line = scope.bodyLine + (inline.map?.[0] ?? 0) + 1;
      const message = `"${source}" is not in the content directory; add the file or correct the reference`;
      scope.problems.push({ file: scope.file, line, field: 'image', message });
      continue;
    }
    scope.used.add(image);
    token.attrSet('src', image.hashedUrl);
    if (image.size) {
      token.attrSet('width', String(image.size.width));
      token.attrSet('height', String(image.size.height));
    }
  }
}

/** A picture alone in its paragraph becomes a figure, its title the caption. */
function makeFigures(tokens: Token[]): void {
  for (const [index, token] of tokens.entries()) {
    const [open, close] = [tokens[index - 1], tokens[index + 1]];
    const only = token.children?.length === 1 ? token.children[0] : undefined;
    if (only?.type !== 'image' || open?.type !== 'paragraph_open' || close?.type !== 'paragraph_close') continue;
    only.meta = { figure: true };
    open.tag = 'figure';
    close.tag = 'figure';
  }
}

/** The page's only h1 is its title. */
function demoteHeadings(tokens: readonly Token[]): void {
  for (const token of tokens) if (token.tag === 'h1') token.tag = 'h2';
}

function headingId(text: string, scope: Scope): string {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC').toLowerCase();
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? ['section'];
  const base = words.join('-');
  let id = base;
  for (let copy = 2; scope.ids.has(id); copy += 1) id = `${base}-${copy}`;
  scope.ids.add(id);
  return id;
}
