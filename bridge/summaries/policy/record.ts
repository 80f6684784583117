import { z } from 'zod';
import { Summary } from '../../../shared/contract/summary.ts';
import type { ThreadRecord } from '../types.ts';
import { Rates } from './estimator.ts';

export const RECORD_VERSION = 1;
/** Summaries kept of one thread: one for each language, style and length somebody asked for lately. */
export const WRITTEN_MAX = 4;

const Numbers = z.array(z.int().min(0));
const Note = z.strictObject({ text: z.string(), of: Numbers.min(1) });
/** A sentence on comments, by their numbers. */
export type Note = z.infer<typeof Note>;

const Chunk = z.strictObject({ of: Numbers.min(1), notes: z.array(Note), refused: z.literal(true).optional() });
/**
 * Comments read together, and what was noted. The notes were made from these comments and nothing else. `refused`: no answer on this
 * comment passed the checks; it counts as omitted, and is not paid for again.
 */
export type Chunk = z.infer<typeof Chunk>;

const Written = z.strictObject({
  options: z.string(),
  key: z.string(),
  /** Numbers of all comments it was made from. */
  of: Numbers,
  /** The points of an earlier writing that stand for the chunks that held `of`. */
  base: z.strictObject({ notes: z.array(Note), of: Numbers }),
  /** Comments when it was last written from every note. */
  anchor: z.int().min(0),
  summary: Summary,
});
export type Written = z.infer<typeof Written>;

const Record1 = z.looseObject({
  version: z.literal(RECORD_VERSION),
  model: z.string(),
  prompt: z.string(),
  /** A comment's number is its place here; null: it was edited or deleted, and its number is not used again. */
  comments: z.array(z.strictObject({ id: z.string(), hash: z.string() }).nullable()),
  chunks: z.array(Chunk),
  written: z.array(Written).max(WRITTEN_MAX),
  rates: Rates,
});
export type KnownRecord = z.infer<typeof Record1>;

/** The record, or null where there is none or it is of another version or broken: then the thread is read anew. */
export function parseRecord(record: ThreadRecord | null): KnownRecord | null {
  if (record === null) return null;
  const parsed = Record1.safeParse(record);
  return parsed.success && isWhole(parsed.data) ? parsed.data : null;
}

/** Every number is a comment's. */
function isWhole({ comments, chunks, written }: KnownRecord): boolean {
  const notes = [...chunks.flatMap((chunk) => chunk.notes), ...written.flatMap(({ base }) => base.notes)];
  const lists = [...chunks, ...written, ...written.map(({ base }) => base), ...notes];
  return lists.every(({ of }) => of.every((number) => number < comments.length));
}

/** Without the comments of these numbers and everything made with them in sight. */
export function withoutNumbers(record: KnownRecord, gone: ReadonlySet<number>): KnownRecord {
  if (gone.size === 0) return record;
  const touches = (numbers: readonly number[]): boolean => numbers.some((number) => gone.has(number));
  return {
    ...record,
    comments: record.comments.map((comment, number) => (gone.has(number) ? null : comment)),
    chunks: record.chunks.filter(({ of }) => !touches(of)),
    written: record.written.filter(({ of, base }) => !touches(of) && !touches(base.of)),
  };
}

/**
 * The record after these comments were edited or deleted: whatever was made with one of them in the prompt is gone, notes and
 * summaries alike. A record that cannot be read is dropped whole. Pure; needs no model.
 */
export function redact(record: ThreadRecord, ids: Iterable<string>): ThreadRecord | null {
  const known = parseRecord(record);
  if (known === null) return null;
  const wanted = new Set(ids);
  const gone = new Set<number>();
  for (const [number, comment] of known.comments.entries()) {
    if (comment !== null && wanted.has(comment.id)) gone.add(number);
  }
  return withoutNumbers(known, gone);
}

/** Ids of the comments that the kept summaries were made from. */
export function cites(record: ThreadRecord): readonly string[] {
  const known = parseRecord(record);
  const numbers = new Set(known?.written.flatMap(({ of }) => of));
  return [...numbers].flatMap((number) => known?.comments[number]?.id ?? []);
}
