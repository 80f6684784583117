// Dots that a browser or a reader takes for one. Most of them end sentences or stand within words (Chinese, Urdu, Catalan), so
// they count only before what can be a top-level domain and nothing else.
const DOTS =
  /[\u3002\uFF61\u2219\u00B7\u0589\u06D4](?=(?:com|net|org|info|biz|io|co|dev|app|xyz|top|site|shop|example|[a-z]{2}|xn--[a-z\d-]+)(?![\p{L}\p{N}]))/giu;
const PLAIN_DOTS = /[\uFF0E\u2024]/gu;
const HIDDEN = /\p{Cf}|[\u{FE00}-\u{FE0F}]|\u034F/gu;

/** A text as a reader may decode it: compatibility forms, hidden characters, odd dots and written-out dots undone. */
export function decoded(text: string): string {
  return text
    .replace(HIDDEN, '')
    .replace(PLAIN_DOTS, '.')
    .replace(DOTS, '.')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s*[[({<‹]\s*(?:dot|punkt|punto|point|\.)\s*[\])}>›]\s*/gu, '.')
    .replace(/(\w) (?:dot) (com|net|org|io|example|de|fr|ru|cn|info)\b/gu, '$1.$2')
    .replace(/\s*[[({<‹]\s*(?:at|@)\s*[\])}>›]\s*/gu, '@');
}

const SCHEME =
  /\b(?:h(?:tt|xx|\*\*)ps?|ftp|wss?|file|data|javascript|vbscript|magnet|ipfs|tg)\s*:|\b(?:mailto|tel|sms)\s*:|:\s?\/\s?\/|\bwww\d?\./u;
const MAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+\.[\p{L}]{2,}/u;
const IP = /\b(?:\d{1,3}\.){3}\d{1,3}\b/u;
const MARKDOWN = /\]\s*\(|\]\s*\[|^\s*\[[^\]]+\]:/u;
const DOMAIN = /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+(?:xn--[a-z\d-]+|\p{L}{2,24})(?![\p{L}\p{N}])/gu;
const HANDLE = /(?<![\p{L}\p{N}])@[\p{L}\p{N}_][\p{L}\p{N}_.-]*/gu;
const PHONE = /\+?\d[\d ().-]{7,}\d/gu;

/**
 * What leads somewhere. A URL, an address or a Markdown link never passes, whoever wrote it first; a bare domain ("node.js" looks
 * like one), a handle or a long number only where the input has the very same, compared after decoding.
 */
export function leadsAway(text: string, input: string): boolean {
  const plain = decoded(text);
  if (SCHEME.test(plain) || MAIL.test(plain) || IP.test(plain) || MARKDOWN.test(plain)) return true;
  if (/xn--/.test(plain)) return true;
  const found = [DOMAIN, HANDLE, PHONE].flatMap((form) => plain.match(form) ?? []);
  if (found.length === 0) return false;
  const given = input.normalize('NFC').toLowerCase();
  return found.some((one) => !stands(one.replace(/[.\s]+$/u, ''), given));
}

/** As a word of its own: "evil.co" is not in "evil.com". */
function stands(word: string, text: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const around = `${text[at - 1] ?? ' '}${text[at + word.length] ?? ' '}`;
    if (!/[\p{L}\p{N}_@-]/u.test(around)) return true;
  }
  return false;
}
