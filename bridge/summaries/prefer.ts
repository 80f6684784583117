/** What of `Prefer` (RFC 7240) a summary heeds. */
export interface Preferences {
  readonly respondAsync: boolean;
  /** Seconds. */
  readonly wait: number | null;
}

/** Unknown and senseless preferences are passed over, as section 2 asks; of one that stands twice the first counts. */
export function readPrefer(value: string | undefined): Preferences {
  const found = new Map<string, string>();
  for (const preference of (value ?? '').split(',')) {
    const [name = '', argument = ''] = preference.split(';', 1)[0]?.split('=') ?? [];
    const key = name.trim().toLowerCase();
    if (!found.has(key)) found.set(key, argument.trim().replace(/^"(.*)"$/, '$1'));
  }
  const wait = found.get('wait') ?? '';
  return { respondAsync: found.has('respond-async'), wait: /^\d{1,6}$/.test(wait) ? Number(wait) : null };
}

/** The preferences that were followed, for `Preference-Applied`; null where there are none. */
export function preferenceApplied({ respondAsync, wait }: Preferences): string | null {
  const applied = [...(respondAsync ? ['respond-async'] : []), ...(wait === null ? [] : [`wait=${wait}`])];
  return applied.length > 0 ? applied.join(', ') : null;
}
