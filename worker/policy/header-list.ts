/** Header fields as plain data: lower-case names, combined values, in order. Policy never sees a platform `Headers`. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The combined value of a field, or undefined. `name` is lower-case. */
export function field(headers: HeaderList, name: string): string | undefined {
  let found: string | undefined;
  for (const [key, value] of headers) {
    if (key === name) found = found === undefined ? value : `${found}, ${value}`;
  }
  return found;
}

/** A list-based field as trimmed, non-empty members (RFC 9110 §5.6.1). Not for fields whose members may hold quoted commas. */
export function listMembers(value: string | undefined): string[] {
  if (value === undefined) return [];
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

/** The same list without the named fields. */
export function without(headers: HeaderList, names: ReadonlySet<string>): HeaderList {
  return headers.filter(([name]) => !names.has(name));
}

/** Fields that belong to one connection and never travel further (RFC 9110 §7.6.1). */
export const CONNECTION_FIELDS: readonly string[] = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
