const LIMITS: readonly (readonly [low: number, high: number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
];
const NAMES = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const DAYS = 'sun mon tue wed thu fri sat'.split(' ');
/** The most days a month has; February in a leap year. */
const LENGTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const numberOf = (word: string, field: number): number => {
  if (/^\d+$/.test(word)) return Number(word);
  const at = (field === 3 ? NAMES : field === 4 ? DAYS : []).indexOf(word.toLowerCase());
  return at < 0 ? Number.NaN : at + (field === 3 ? 1 : 0);
};

/** The values that one field of a schedule takes; undefined where it is none. */
export function fieldValues(source: string, field: number): number[] | undefined {
  const [low, high] = LIMITS[field] ?? [0, 0];
  const values: number[] = [];
  for (const part of source.split(',')) {
    const [, range = '', step = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
    const [from, to] =
      range === '*' || range === '?' ? [low, high] : range.split('-').map((word) => numberOf(word, field));
    const end = to ?? (part.includes('/') ? high : (from ?? Number.NaN));
    const ordered = from !== undefined && from >= low && end <= high && from <= end;
    if (!ordered || range.split('-').length > 2 || Number(step) < 1 || Number(step) > high) return undefined;
    for (let value = from; value <= end; value += Number(step)) values.push(value);
  }
  return values;
}

/** What is wrong with a schedule of five fields, as robfig/cron reads them for a CronJob; undefined where it comes. */
export function scheduleProblem(schedule: string): string | undefined {
  if (/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(schedule.trim())) return undefined;
  const fields = schedule.trim().split(/\s+/);
  const values = fields.map(fieldValues);
  if (fields.length !== 5 || values.includes(undefined)) return 'is not a time: five fields, minute first';
  const [, , days = [], months = []] = values;
  // A day of the week beside a day of the month is an "or": it comes whatever the month has.
  const restricted = /^[*?]/.test(fields[2] ?? '') || !/^[*?]/.test(fields[4] ?? '');
  const comes = restricted || (months ?? []).some((month) => Math.min(...(days ?? [])) <= (LENGTHS[month - 1] ?? 0));
  return comes ? undefined : 'names a day that no such month has';
}
