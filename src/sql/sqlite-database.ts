/** Integers are bigint, whatever their size. */
export type SqliteValue = bigint | number | string | null;

/** A statement that is compiled once and executed often. */
export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): void;
  /** The rows, their columns in the order of the statement; their names must differ. One iteration at a time. */
  rows(...values: readonly SqliteValue[]): Iterable<readonly SqliteValue[]>;
}

/** An open database file. Every call is synchronous, so it should be used on a separate thread. */
export interface SqliteDatabase {
  /** Executes statements without parameters and results. */
  execute(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Invalidates all statements. May be called twice. */
  close(): void;
}

export interface SqliteOptions {
  readonly isReadOnly?: boolean;
}

/** The result codes that callers treat differently: https://www.sqlite.org/rescode.html */
export const sqliteCodes = { corrupt: 11, cannotOpen: 14, notDatabase: 26 } as const;

/** An error of SQLite. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError';
  /** The primary result code. */
  readonly code: number;

  /** @param code primary or extended */
  constructor(message: string, code: number, options?: ErrorOptions) {
    super(`${message} (SQLite error ${code})`, options);
    this.code = code & 0xff;
  }
}
