/** Stand where something was that plain text must not carry. */
export const MASKS = { link: '[link]', email: '[email]', name: '[name]' } as const;

/** Characters of one comment that are read; longer ones are cut here. */
export const READ_MAX = 4000;

// Default ignorable covers zero-width characters, bidi controls, variation selectors, tag characters and blank fillers, all used to
// hide text; lone surrogates, private use and unassigned code points draw as nobody knows what.
const HIDDEN = /[\p{DI}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2800\ufffd]/gu;
const CONTROL = /[\p{Cc}]/gu;
/** More marks than any script stacks on a letter. */
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu;

/** One character set: NFC, no controls but the line feed, nothing hidden, other line ends folded to it. Never throws. */
export function visible(text: string): string {
  return text
    .slice(0, READ_MAX)
    .normalize('NFC')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(HIDDEN, '')
    .replace(CONTROL, (control) => (control === '\n' ? control : ' '))
    .replace(STACKED_MARKS, '$1');
}

/**
 * A comment's own words as plain text, one paragraph a line: without quoted lines, code blocks, signatures, HTML and Markdown;
 * addresses and handles are masked. Idempotent enough for display: what it returns holds no tag, no link and no control.
 */
export function clean(text: string): string {
  const own = ownLines(visible(text)).join('\n');
  const plain = maskAddresses(withoutMarkup(own))
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim())
    .filter((line) => line !== '');
  return unwrap(plain).join('\n');
}

const FENCE = /^\s{0,3}(?:```|~~~)/;
const QUOTE = /^\s{0,3}(?:>|&gt;|\|\s)/;
/** RFC 3676 section 4.3: the line that begins a signature. */
const SIGNATURE = /^--\s?$/;
const SENT_FROM = /^(?:sent from my|get outlook for|gesendet von|von meinem .{1,20} gesendet|enviado desde|envoyé de)/i;
const ATTRIBUTION = /^(?:on|am|el|le|em)\s.{4,100}(?:wrote|schrieb.{0,40}|escribió|a écrit|escreveu)\s?:$/i;

/** Lines the commenter wrote: no quotes with the line that announces them, no code, nothing below a signature. */
function ownLines(text: string): string[] {
  const own: string[] = [];
  let inCode = false;
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (SIGNATURE.test(line) || SENT_FROM.test(trimmed)) break;
    if (FENCE.test(line)) inCode = !inCode;
    else if (inCode || QUOTE.test(line) || ATTRIBUTION.test(trimmed) || /^(?: {4}|\t)\S.*[;{}]\s*$/.test(line))
      continue;
    else own.push(line);
  }
  return own;
}

const MARKDOWN_IMAGE_OR_LINK = /!?\[([^[\]\n]{0,200})\]\([^()\s]{0,2000}(?:\s[^()\n]{0,200})?\)/g;
const HTML_HIDDEN = /<(script|style)\b[^<>]{0,200}>[^<]{0,4000}<\/\1\s*>/gi;
const TAG = /<\/?[a-z!?][^<>\n]{0,500}>/gi;

function withoutMarkup(text: string): string {
  let plain = text;
  // Taking a tag away may put another together (`<scr<b>ipt>`); what three rounds leave loses its bracket below.
  for (let round = 0; round < 3; round++) plain = plain.replace(HTML_HIDDEN, ' ').replace(TAG, ' ');
  return plain
    .replace(MARKDOWN_IMAGE_OR_LINK, '$1')
    .replace(/<(?![\s\d=]|$)/gm, ' ')
    .replace(/`+/g, '')
    .replace(/(\*{1,3}|_{2,3}|~~)(?=\S)([^*_~\n]{1,500}?)(?<=\S)\1/g, '$2')
    .replace(/^\s{0,3}(?:#{1,6}\s+|[-*+•]\s+|\d{1,3}[.)]\s+)/gm, '');
}

const SCHEME = /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s<>"'“”‘’()[\]{}「」『』【】（）]+/gi;
const SCHEME_BARE = /\b(?:mailto|javascript|data|vbscript|tel|sms|magnet|xmpp|file):[^\s<>"'()]+/gi;
const EMAIL = /[^\s<>"'()[\]{},;:@]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}[\p{L}]{2,24}/gu;
const HANDLE = /(?<![\p{L}\p{N}])[@＠][\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}(?:@[\p{L}\p{N}.-]{1,100})?/gu;
const DOMAIN =
  /(?<![\p{L}\p{N}.@-])(?:[\p{L}\p{N}-]{1,63}\.){1,8}(\p{L}{2,24})(?![\p{L}\p{N}-])((?::\d{1,5})?\/\S*)?/gu;
/** Endings of names that are files far more often than hosts. */
const FILE_ENDING =
  /^(?:md|js|ts|py|rs|sh|pl|cc|cs|go|so|ps|db|tf|ml|html?|css|json|ya?ml|toml|txt|pdf|csv|sql|conf|log)$/;
const GENERIC =
  /^(?:com|net|org|info|biz|edu|gov|mil|app|dev|xyz|site|shop|online|store|club|top|live|link|click|blog|example)$/;

/** Scheme or not, an address that any client would turn into a link is masked; a leading reply handle goes altogether. */
function maskAddresses(text: string): string {
  return text
    .replace(SCHEME, MASKS.link)
    .replace(SCHEME_BARE, MASKS.link)
    .replace(EMAIL, MASKS.email)
    .replace(/^\s*[@＠][\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}[,:]?\s+/gmu, '')
    .replace(HANDLE, MASKS.name)
    .replace(DOMAIN, (whole, ending: string, path: string | undefined) =>
      isHost(whole, ending, path) ? MASKS.link : whole,
    )
    .replace(/:\/\//g, ': ');
}

function isHost(whole: string, ending: string, path: string | undefined): boolean {
  if (path !== undefined || whole.startsWith('www.') || GENERIC.test(ending.toLowerCase())) return true;
  // `end.Next` is a missing space, `e.g` no host: a country's ending is two small letters after a longer label.
  return /^[a-z]{2}$/.test(ending) && !FILE_ENDING.test(ending) && /[\p{L}\p{N}-]{3,}\.[a-z]{2}$/u.test(whole);
}

/** Joins lines that a mail program broke: long, without an end, followed by a small letter. */
function unwrap(lines: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (last !== undefined && last.length >= 50 && !/[.!?…:;。！？؟।]$/.test(last) && /^\p{Ll}/u.test(line))
      joined[joined.length - 1] = `${last} ${line}`;
    else joined.push(line);
  }
  return joined;
}
