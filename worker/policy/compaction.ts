import { type Invalidation, SLOTS, type Slots, slotOf } from './invalidation.ts';

/** A line as the ledger keeps it. `at`: when it was written, ms. */
export interface Line extends Invalidation {
  readonly at: number;
}

/** All the ledger knows of invalidations: the lines, oldest first, and what older ones have been folded into. */
export interface Book {
  readonly lines: ReadonlyMap<string, Line>;
  readonly slots: Slots;
  readonly floor: number;
}

/** How many lines, how many characters of their values together, and how long they are kept, ms. */
interface Bounds {
  readonly lines: number;
  readonly chars: number;
  readonly ms: number;
}

const DAY_MS = 24 * 3_600_000;

/**
 * Each kind of line has bounds of its own. Lines readers cause (RFC 9111 §4.4) are the only ones anybody may write:
 * whoever writes many of them pushes out none of the site's.
 */
export const BOUNDS = {
  invalidate: { lines: 5_000, chars: 500_000, ms: DAY_MS },
  reader: { lines: 1_000, chars: 100_000, ms: DAY_MS },
  delete: { lines: 5_000, chars: 500_000, ms: 30 * DAY_MS },
  /** Of any mode: prefixes and `everything` fold into no slot. */
  wide: { lines: 1_000, chars: 100_000, ms: 30 * DAY_MS },
} as const satisfies Record<string, Bounds>;

type AllBounds = Readonly<Record<keyof typeof BOUNDS, Bounds>>;

const keyOf = ({ kind, value, mode }: Invalidation): string => `${mode} ${kind} ${value}`;

/** Lines beyond their bounds. Those of the newest number stay until they are old, however many they are. */
function excess(lines: readonly Line[], now: number, bounds: AllBounds): readonly Line[] {
  const newest = lines.at(-1)?.seq;
  const sums = new Map<keyof AllBounds, { lines: number; chars: number }>();
  return lines.toReversed().filter((line) => {
    const ring = line.kind === 'tag' || line.kind === 'url' ? line.mode : 'wide';
    const limit = bounds[ring];
    const sum = sums.get(ring) ?? { lines: 0, chars: 0 };
    sums.set(ring, sum);
    sum.lines += 1;
    sum.chars += line.value.length;
    const isMuch = sum.lines > limit.lines || sum.chars > limit.chars;
    return now - line.at >= limit.ms || (isMuch && line.seq !== newest);
  });
}

/**
 * The book with `added` in it, within its bounds again. A line that goes is folded: one of a tag or URL into a slot, and
 * with it is invalid what shares the slot by chance; only one of a prefix or of everything raises the floor for all.
 */
export function written(
  book: Book,
  added: readonly Line[],
  now: number,
  bounds: AllBounds = BOUNDS,
): { readonly book: Book; readonly folded: readonly Line[] } {
  const lines = new Map(book.lines);
  for (const line of added) {
    lines.delete(keyOf(line));
    lines.set(keyOf(line), line);
  }
  const folded = excess([...lines.values()], now, bounds);
  if (folded.length === 0) return { book: { ...book, lines }, folded };
  const slots = Array.from({ length: 2 * SLOTS }, (_, slot) => book.slots[slot] ?? 0);
  let { floor } = book;
  for (const line of folded) {
    const { kind, value, seq } = line;
    lines.delete(keyOf(line));
    if (kind === 'tag' || kind === 'url') slots[slotOf(kind, value)] = Math.max(slots[slotOf(kind, value)] ?? 0, seq);
    else floor = Math.max(floor, seq);
  }
  return { book: { lines, slots, floor }, folded };
}

/** A book of lines as they were written, oldest first, and of the slots that hold a number. */
export function bookOf(
  lines: readonly Line[] = [],
  slotted: readonly { readonly slot: number; readonly seq: number }[] = [],
  floor = 0,
): Book {
  const slots: number[] = slotted.length === 0 ? [] : new Array(2 * SLOTS).fill(0);
  for (const { slot, seq } of slotted) slots[slot] = seq;
  return { lines: new Map(lines.map((line) => [keyOf(line), line])), slots, floor };
}
