/** The part of Firestore that is used. The Admin SDK's `Firestore` fits as `Database<DocumentReference>`. */
export interface Database<Ref> {
  doc(path: string): Ref;
  collection(path: string): Query;
  /** Runs `work` again where a document it read was written meanwhile; gives up with code 10 (ABORTED). */
  runTransaction<T>(work: (transaction: Transaction<Ref>) => Promise<T>): Promise<T>;
}
interface Query {
  orderBy(field: string, direction: 'desc'): Query;
  limit(count: number): Query;
  get(): Promise<{ readonly docs: readonly Row[]; readonly readTime: Instant }>;
}
interface Row {
  readonly id: string;
  data(): Fields;
}
interface Transaction<Ref> {
  get(ref: Ref): Promise<{ data(): Fields | undefined }>;
  set(ref: Ref, fields: Fields): unknown;
}
export interface Instant {
  readonly seconds: number;
  readonly nanoseconds: number;
}
export type Fields = Record<string, unknown>;

/** The points of a summary as a page shows them; see the contract's `Summary`. */
export type Shown = Fields & { readonly points: readonly { readonly commentIds: readonly string[] }[] };

/** `threads/{threadId}/summary/current`. */
export type Current =
  /** Of the comments as they were at `asOfMicros`. */
  | { readonly state: 'ready'; readonly asOfMicros: number; readonly eventId: string; readonly summary: Shown }
  /** A comment was edited or deleted at `asOfMicros`: what was said before is not to be shown. */
  | { readonly state: 'withdrawn'; readonly asOfMicros: number; readonly eventId: string };

export interface ThreadStore {
  current(threadId: string): Promise<Current | null>;
  /** The newest comments, at most `limit`, from one snapshot of the database; and when that was. */
  comments(threadId: string, limit: number): Promise<{ rows: { id: string; fields: Fields }[]; asOfMicros: number }>;
  /** Writes unless what is there is as new or newer: the document only moves forward in time. Says what stands there now. */
  advance(threadId: string, next: Current): Promise<{ readonly written: boolean; readonly current: Current }>;
}

/** Microseconds since the epoch, Firestore's own resolution; exact in a double until the year 2255. */
export const micros = ({ seconds, nanoseconds }: Instant): number => seconds * 1e6 + Math.floor(nanoseconds / 1000);

/** Of an RFC 3339 time such as a CloudEvent's, whose fraction may be finer than a Date's. */
export function microsOf(time: string): number {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? '';
  const seconds = Math.floor(Date.parse(time) / 1000);
  return seconds * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

export function firestoreThreads<Ref>(database: Database<Ref>): ThreadStore {
  const place = (threadId: string) => database.doc(`threads/${threadId}/summary/current`);
  return {
    current: (threadId) =>
      database.runTransaction(async (transaction) => readCurrent((await transaction.get(place(threadId))).data())),
    comments: async (threadId, limit) => {
      const found = await database
        .collection(`threads/${threadId}/comments`)
        .orderBy('createdAt', 'desc')
        .limit(limit)
        .get();
      const rows = found.docs.map((row) => ({ id: row.id, fields: row.data() })).reverse();
      return { rows, asOfMicros: micros(found.readTime) };
    },
    advance: (threadId, next) =>
      database.runTransaction(async (transaction) => {
        const current = readCurrent((await transaction.get(place(threadId))).data());
        if (current !== null && current.asOfMicros >= next.asOfMicros) return { written: false, current };
        transaction.set(place(threadId), { ...next });
        return { written: true, current: next };
      }),
  };
}

/** What this example wrote; anything else counts as nothing. */
function readCurrent(fields: Fields | undefined): Current | null {
  const known = fields?.state === 'ready' || fields?.state === 'withdrawn';
  return known && typeof fields.asOfMicros === 'number' ? (fields as unknown as Current) : null;
}
