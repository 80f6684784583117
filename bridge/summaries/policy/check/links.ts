// Dots that a browser or a reader takes for one. Most of them end sentences or stand within words (Chinese, Urdu, Catalan), so
// they count only before what can be a top-level domain and nothing else.
const DOTS =
  /[\u3002\uFF61\u2219\u00B7\u0589\u06D4](?=(?:com|net|org|info|biz|io|co|dev|app|xyz|top|site|shop|example|[a-z]{2}|xn--[a-z\d-]+)(?![\p{L}\p{N}]))/giu;
const PLAIN_DOTS = /[\uFF0E\u2024]/gu;
/** Top-level domains that a reader completes where the dot is written out, or has blanks around it. */
const ENDINGS = 'com|net|org|io|info|biz|xyz|top|shop|site|online|app|dev|co|me|example|de|fr|ru|cn';
const WRITTEN_DOT = new RegExp(
  String.raw`([\p{L}\p{N}]) (?:dot|punkt|punto|tochka|точка|点) ?(${ENDINGS})(?![\p{L}\p{N}])`,
  'gu',
);
/** Not "use .net" or "an .env file": these are names. */
const SPACED_DOT =
  /([\p{L}\p{N}])(?: \. ?(com|org|info|xyz|top|shop|site|biz|ru|cn)|\. (com|org|xyz|biz))(?![\p{L}\p{N}])/gu;
const HIDDEN = /\p{Cf}|[\u{FE00}-\u{FE0F}]|\u034F/gu;

/** Digits of every script as those of ASCII, and every dash as one: a number is dialled however it is written. */
function folded(text: string): string {
  return text.replace(/\p{Pd}|\u2212/gu, '-').replace(/(?![0-9])\p{Nd}/gu, (digit) => {
    // A script's digits stand together in order, zero first.
    let value = 0;
    const code = digit.codePointAt(0) ?? 0;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
    return String(value);
  });
}

/** A text as a reader may decode it: compatibility forms, hidden characters, odd dots and written-out dots undone. */
export function decoded(text: string): string {
  const plain = text.replace(HIDDEN, '').replace(PLAIN_DOTS, '.').replace(DOTS, '.').normalize('NFKC');
  return folded(plain)
    .toLowerCase()
    .replace(/\s*[[({<‹]\s*(?:dot|punkt|punto|point|\.)\s*[\])}>›]\s*/gu, '.')
    .replace(WRITTEN_DOT, '$1.$2')
    .replace(SPACED_DOT, '$1.$2$3')
    .replace(/\s*[[({<‹]\s*(?:at|@)\s*[\])}>›]\s*/gu, '@');
}

const SCHEME =
  /\b(?:h(?:tt|xx|\*\*)ps?|ftp|wss?|file|data|javascript|vbscript|magnet|ipfs|tg)\s*:|\b(?:mailto|tel|sms)\s*:|:\s?\/\s?\/|\bwww\d?\./u;
const MAIL = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+\.[\p{L}]{2,}/u;
const IP = /\b(?:\d{1,3}\.){3}\d{1,3}\b/u;
const MARKDOWN = /\]\s*\(|\]\s*\[|^\s*\[[^\]]+\]:/u;
const DOMAIN =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?\.)+(?:xn--[a-z\d-]+|\p{L}[\p{L}\p{M}]{1,23})(?![\p{L}\p{N}])/gu;
const HANDLE =
  /(?<![\p{L}\p{N}])@[\p{L}\p{N}_][\p{L}\p{N}_.-]*|(?<![\p{L}\p{N}/])[ur]\/[a-z\d_-]{3,}|[\p{L}\p{N}_.]{2,}#\d{4}(?!\d)/gu;
const PHONE = /\+?\d[\d ()./-]{7,}\d/gu;

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
  const given = folded(input.normalize('NFC')).toLowerCase();
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
