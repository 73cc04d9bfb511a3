/** Integers are bigint, whatever their size. */
export type SqliteValue = bigint | number | string | null;

/** A statement that is compiled once and run often. */
export interface SqliteStatement {
  run(...values: readonly SqliteValue[]): void;
  /** The rows, their columns in the order of the statement; their names must differ. One iteration at a time. */
  rows(...values: readonly SqliteValue[]): Iterable<readonly SqliteValue[]>;
}

/** A database file that is open. Every call returns when it is done: a thread of its own is the place for it. */
export interface SqliteDatabase {
  /** Runs statements that have no parameters and no result. */
  execute(sql: string): void;
  prepare(sql: string): SqliteStatement;
  /** Statements cannot be used any more. Safe to call twice. */
  close(): void;
}

export interface SqliteOptions {
  readonly isReadOnly?: boolean;
}

/** The result codes that callers treat differently: https://www.sqlite.org/rescode.html */
export const sqliteCodes = { corrupt: 11, cannotOpen: 14, notDatabase: 26 } as const;

/** What went wrong in SQLite. */
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
