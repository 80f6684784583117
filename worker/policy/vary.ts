import { field, type HeaderList, listMembers } from './header-list.ts';

/** The selecting fields of a stored response (RFC 9111 §4.1): normalised values of the request that fetched it. */
export interface Selection {
  readonly names: readonly string[];
  readonly values: readonly (string | null)[];
}

/** Reads a field of the request as it is, or would be, forwarded. */
export type ReadField = (name: string) => string | null;

export const NO_SELECTION: Selection = { names: [], values: [] };

/** The names in `Vary`, lower-case, sorted, without repeats. A `*` never gets here: such a response is not stored. */
export function varyNames(headers: HeaderList): readonly string[] {
  return [...new Set(listMembers(field(headers, 'vary')?.toLowerCase()))].sort();
}

interface Preference {
  readonly range: string;
  readonly q: number;
}

function preferences(value: string): Preference[] {
  return listMembers(value.toLowerCase())
    .map((member) => {
      const [range = '', ...parameters] = member.split(';').map((part) => part.trim());
      const q = parameters.find((parameter) => parameter.startsWith('q='));
      const weight = q === undefined ? 1 : Number(q.slice(2));
      return { range, q: Number.isFinite(weight) ? weight : 1 };
    })
    .filter(({ range }) => range !== '')
    .sort((a, b) => b.q - a.q || (a.range < b.range ? -1 : 1));
}

/**
 * RFC 9111 §4.1 lets a cache normalise where the meaning stays: members of equal weight have no order, names have no
 * case, white space around list members has no meaning.
 */
export function normaliseField(name: string, value: string | null): string | null {
  if (value === null) return null;
  if (name === 'accept-language' || name === 'accept-encoding') {
    return preferences(value)
      .map(({ range, q }) => (q === 1 ? range : `${range};q=${q}`))
      .join(',');
  }
  // White space within quotes is part of the value (RFC 9110 §5.6.4).
  if (value.includes('"')) return value.trim();
  return value
    .split(',')
    .map((member) => member.trim())
    .join(',');
}

/** The selection a request makes among responses that vary by `names`. */
export function select(names: readonly string[], read: ReadField): Selection {
  if (names.length === 0) return NO_SELECTION;
  return { names, values: names.map((name) => normaliseField(name, read(name))) };
}

/** A string that is equal exactly when two selections are equal. */
export function selectionKey(selection: Selection): string {
  return selection.names.length === 0 ? '' : JSON.stringify([selection.names, selection.values]);
}

function languageServes(requested: string | null, contentLanguage: string | undefined): boolean {
  if (requested === null || contentLanguage === undefined) return false;
  const [preferred] = preferences(requested);
  return preferred !== undefined && preferred.q > 0 && preferred.range === contentLanguage.trim().toLowerCase();
}

/**
 * Does a stored response satisfy this request's selecting fields? A response in exactly the language the request
 * prefers most is the one any negotiation on `Accept-Language` would choose (RFC 9110 §12.5.4).
 */
export function selectionMatches(stored: Selection, headers: HeaderList, read: ReadField): boolean {
  return stored.names.every((name, index) => {
    const value = normaliseField(name, read(name));
    if (value === stored.values[index]) return true;
    return name === 'accept-language' && languageServes(value, field(headers, 'content-language'));
  });
}
