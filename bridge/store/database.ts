/** The PostgreSQL dialect, whoever speaks it: `$1` placeholders, timestamptz as Date, int8 as number, jsonb parsed. */
export interface Sql {
  query<Row extends object>(text: string, params?: readonly SqlValue[]): Promise<Row[]>;
}

export type SqlValue = string | number | boolean | null | readonly string[] | readonly number[];

export interface Database extends Sql {
  readonly kind: 'embedded' | 'postgres';
  /** Runs `work` in one transaction; rolls back and rethrows where it throws. Nothing outlives it: no session state. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  /** Resolves when the store is closed for good without having been asked to; a program that lost it should end. */
  readonly lost: Promise<Error>;
  close(): Promise<void>;
}

export async function one<Row extends object>(
  sql: Sql,
  text: string,
  params?: readonly SqlValue[],
): Promise<Row | null> {
  return (await sql.query<Row>(text, params))[0] ?? null;
}

/** SQLSTATE class 22, data exception: the values are at fault, and trying them again changes nothing. */
export function isDataError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('22');
}
