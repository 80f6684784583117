/**
 * HTTP-date (RFC 9110 §5.6.7): IMF-fixdate, and the obsolete RFC 850 and asctime forms a recipient must accept.
 * Anything else is invalid, which for `Expires` means already expired (RFC 9111 §5.3).
 */
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH = MONTHS.join('|');
const TIME = '([01]\\d|2[0-3]):([0-5]\\d):([0-5]\\d|60)';
const IMF_FIXDATE = new RegExp(`^(?:mon|tue|wed|thu|fri|sat|sun), (\\d\\d) (${MONTH}) (\\d{4}) ${TIME} gmt$`, 'i');
const RFC_850 = new RegExp(
  `^(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday), (\\d\\d)-(${MONTH})-(\\d\\d) ${TIME} gmt$`,
  'i',
);
const ASCTIME = new RegExp(`^(?:mon|tue|wed|thu|fri|sat|sun) (${MONTH}) ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i');

/** undefined for a day its month does not have: it would silently become another day. */
function utc(year: number, month: string, day: string, h: string, m: string, s: string): number | undefined {
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for those of the last century.
  date.setUTCFullYear(year, MONTHS.indexOf(month.toLowerCase()), Number(day));
  return date.getUTCDate() === Number(day) ? date.setUTCHours(Number(h), Number(m), Number(s)) : undefined;
}

/**
 * Milliseconds since the epoch, or undefined when the value is not an HTTP-date.
 * `now` (ms) resolves the two-digit year of RFC 850: over 50 years ahead means the past century.
 */
export function parseHttpDate(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const imf = IMF_FIXDATE.exec(value);
  if (imf) {
    const [, day = '', month = '', year = '', h = '', m = '', s = ''] = imf;
    return utc(Number(year), month, day, h, m, s);
  }
  const asctime = ASCTIME.exec(value);
  if (asctime) {
    const [, month = '', day = '', h = '', m = '', s = '', year = ''] = asctime;
    return utc(Number(year), month, day.trim(), h, m, s);
  }
  const rfc850 = RFC_850.exec(value);
  if (!rfc850) return undefined;
  const [, day = '', month = '', shortYear = '', h = '', m = '', s = ''] = rfc850;
  const thisYear = new Date(now).getUTCFullYear();
  const year = Math.floor(thisYear / 100) * 100 + Number(shortYear);
  return utc(year > thisYear + 50 ? year - 100 : year, month, day, h, m, s);
}
