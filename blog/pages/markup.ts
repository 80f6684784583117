/**
 * HTML and XML built so that escaping cannot be forgotten: every value interpolated into `markup` is
 * escaped unless it is itself `Markup`. Only `trusted` makes `Markup` from a string, and it is called
 * in few places (the Markdown renderer's output, the style sheet).
 */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

export type Part = Markup | string | number | false | undefined | readonly Part[];

export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let text = strings[0] ?? '';
  parts.forEach((part, index) => {
    text += render(part) + (strings[index + 1] ?? '');
  });
  return new Markup(text);
}

/** The string is taken as it is. Never call it with anything a reader or a header can shape. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function render(part: Part): string {
  if (part === false || part === undefined) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return escapeText(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** What XML 1.0 §2.2 does not allow even as a character reference. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Safe as text and in a quoted attribute, in HTML and in XML. */
export function escapeText(text: string): string {
  return text.replace(ILLEGAL, '').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
