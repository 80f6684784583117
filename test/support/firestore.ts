import { Timestamp } from 'firebase-admin/firestore';
import type { Database, Fields } from '../../examples/firebase/store.ts';

interface Stored {
  readonly fields: Fields;
  /** Of the commit that wrote it. */
  readonly version: number;
}

/** As Firestore's: gives up after this many attempts. */
const ATTEMPTS = 5;

/** A Firestore error as the Admin SDK throws it. */
export class FirestoreError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(`${code} ${message}`);
    this.code = code;
  }
}

/**
 * Firestore in memory: documents by path, optimistic transactions with Firestore's rules (all reads before all writes, all writes at
 * once or none, run again where a document that was read changed meanwhile), queries from one snapshot with its read time.
 */
export class MemoryFirestore implements Database<string> {
  readonly #documents = new Map<string, Stored>();
  /** Microseconds since the epoch; every commit takes at least one. */
  nowMicros: number;
  /** Runs between a transaction's work and its commit. */
  beforeCommit: (() => void) | null = null;
  /** Runs before a query's snapshot is taken. */
  beforeQuery: (() => Promise<void>) | null = null;
  commits = 0;
  attempts = 0;
  /** Every path written to. */
  readonly written: string[] = [];

  constructor(nowMs: number) {
    this.nowMicros = nowMs * 1000;
  }

  doc(path: string): string {
    return path;
  }

  read(path: string): Fields | undefined {
    return this.#documents.get(path)?.fields;
  }

  /** A write of its own, as another client makes it. */
  write(path: string, fields: Fields | null): void {
    this.#commit(new Map([[path, fields]]));
  }

  collection(path: string): ReturnType<Database<string>['collection']> {
    return this.#query(path, null, Number.POSITIVE_INFINITY);
  }

  #query(path: string, field: string | null, most: number): ReturnType<Database<string>['collection']> {
    return {
      orderBy: (by, _direction) => this.#query(path, by, most),
      limit: (count) => this.#query(path, field, count),
      get: async () => {
        await this.beforeQuery?.();
        const rows = [...this.#documents]
          .filter(([name]) => name.startsWith(`${path}/`) && !name.slice(path.length + 1).includes('/'))
          // A document without the field is not in the index, and so not in the result.
          .filter(([, { fields }]) => field === null || field in fields)
          .sort(([, a], [, b]) => (field === null ? 0 : order(b.fields[field]) - order(a.fields[field])))
          .slice(0, most)
          .map(([name, { fields }]) => ({ id: name.slice(path.length + 1), data: () => structuredFields(fields) }));
        return { docs: rows, readTime: this.#timestamp() };
      },
    };
  }

  async runTransaction<T>(work: Work<T>): Promise<T> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      this.attempts++;
      const reads = new Map<string, number>();
      const writes = new Map<string, Fields>();
      const result = await work({
        get: async (path) => {
          if (writes.size > 0) throw new FirestoreError(3, 'INVALID_ARGUMENT: all reads before all writes');
          const stored = this.#documents.get(path);
          reads.set(path, stored?.version ?? 0);
          return { data: () => (stored === undefined ? undefined : structuredFields(stored.fields)) };
        },
        set: (path, fields) => void writes.set(path, checked(fields)),
      });
      this.beforeCommit?.();
      if ([...reads].every(([path, version]) => (this.#documents.get(path)?.version ?? 0) === version)) {
        if (writes.size > 0) this.#commit(writes);
        return result;
      }
    }
    throw new FirestoreError(10, 'ABORTED: too much contention on these documents');
  }

  #commit(writes: ReadonlyMap<string, Fields | null>): void {
    this.nowMicros++;
    this.commits++;
    for (const [path, fields] of writes) {
      this.written.push(path);
      if (fields === null) this.#documents.delete(path);
      else this.#documents.set(path, { fields, version: this.nowMicros });
    }
  }

  #timestamp(): Timestamp {
    return new Timestamp(Math.floor(this.nowMicros / 1e6), (this.nowMicros % 1e6) * 1000);
  }
}
type Work<T> = (transaction: {
  get(path: string): Promise<{ data(): Fields | undefined }>;
  set(path: string, fields: Fields): unknown;
}) => Promise<T>;

const order = (value: unknown): number => (value instanceof Timestamp ? value.toMillis() : Date.parse(String(value)));

/** Firestore refuses `undefined`, at any depth. */
function checked(fields: Fields): Fields {
  const visit = (value: unknown, path: string): void => {
    if (value === undefined)
      throw new FirestoreError(3, `INVALID_ARGUMENT: cannot use "undefined" (found in "${path}")`);
    if (value !== null && typeof value === 'object')
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  visit(fields, '');
  return fields;
}

/** A copy, so that nobody changes what is stored; timestamps stay what they are. */
const structuredFields = (fields: Fields): Fields => ({ ...fields });
