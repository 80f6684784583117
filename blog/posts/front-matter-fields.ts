export type FieldReading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

/** Lower-case words joined by hyphens: safe in a URL path and in a `Cache-Tag` list without any escaping. */
export const NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const MAX_NAME = 80;
const MAX_TAGS = 12;

const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

const good = <T>(value: T): FieldReading<T> => ({ ok: true, value });
const bad = (message: string): FieldReading<never> => ({ ok: false, message });

/** One line of text, 1 to `max` characters. */
export function readText(value: unknown, max: number): FieldReading<string> {
  if (typeof value !== 'string') return bad('must be text; put it in double quotes');
  const text = value.replace(/\s+/g, ' ').trim();
  if (text === '') return bad('is empty; write something');
  if (text.length > max) return bad(`has ${text.length} characters; shorten it to ${max}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses (not legal in XML 1.0 feeds)
  if (/[\u0000-\u001f\u007f]/.test(text)) return bad('contains control characters; remove them');
  return good(text);
}

export function readSlug(value: unknown): FieldReading<string> {
  if (typeof value !== 'string' || !NAME.test(value) || value.length > MAX_NAME) {
    return bad(`must be lower-case letters, digits and single hyphens, at most ${MAX_NAME}, such as "quiet-home"`);
  }
  return good(value);
}

export function readTags(value: unknown): FieldReading<readonly string[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TAGS) {
    return bad(`must be a list of 1 to ${MAX_TAGS} tags, such as [caching, homelab]`);
  }
  for (const tag of value) {
    const reading = readSlug(tag);
    if (!reading.ok) return bad(`tag ${JSON.stringify(tag) ?? 'value'} ${reading.message}`);
  }
  if (new Set(value).size < value.length) return bad('names a tag twice; remove the duplicate');
  return good(value as readonly string[]);
}

/** A day (midnight UTC) or an instant with an offset. Returns epoch milliseconds. */
export function readDate(value: unknown): FieldReading<number> {
  const wanted = 'must be a day such as 2026-11-20 or an instant with an offset such as 2026-11-20T18:30:00+01:00';
  if (typeof value !== 'string') return bad(wanted);
  if (!DAY.test(value) && !INSTANT.test(value)) return bad(wanted);
  const time = Date.parse(value.replace(' ', 'T'));
  // Date.parse rolls 30 February over to March: the day has to survive the round trip.
  const day = value.slice(0, 10);
  const midnight = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(time) || Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) {
    return bad(`"${value}" is not a day of the calendar; correct it`);
  }
  return good(time);
}

export function readFlag(value: unknown): FieldReading<boolean> {
  return typeof value === 'boolean' ? good(value) : bad('must be true or false');
}
