import { describeError } from '../errors.js';
import { koffi } from '../linux/koffi.js';
import {
  SqliteError,
  type SqliteDatabase,
  type SqliteOptions,
  type SqliteStatement,
  type SqliteValue,
} from './sqlite-database.js';

// https://www.sqlite.org/c3ref/intro.html

const fileNames = ['libsqlite3.so.0', 'libsqlite3.so'];
const [ok, row, done] = [0, 100, 101];
/** SQLITE_OPEN_READONLY, SQLITE_OPEN_READWRITE, SQLITE_OPEN_CREATE. */
const [readOnly, readWrite, create] = [1, 2, 4];
/** SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB. */
const [integer, float, text, blob] = [1, 2, 3, 4];
/** SQLITE_TRANSIENT: SQLite copies a text before it returns. */
const transient = -1;

type Pointer = unknown;
type Library = ReturnType<typeof load>;

let loaded: Library | undefined;

/**
 * Opens a database with the system's library.
 * @throws SqliteError, or Error if it is not installed
 */
export function openWithLibrary(path: string, { isReadOnly = false }: SqliteOptions): SqliteDatabase {
  loaded ??= load();
  return new LibraryDatabase(loaded, path, isReadOnly ? readOnly : readWrite | create);
}

function load() {
  const library = findLibrary();
  const status = (name: string, parameters: string) =>
    library.func(`int sqlite3_${name}(${parameters})`) as (...args: readonly unknown[]) => number;
  return {
    open: status('open_v2', 'const char *path, _Out_ void **db, int flags, const char *vfs'),
    close: status('close_v2', 'void *db'),
    busyTimeout: status('busy_timeout', 'void *db, int ms'),
    extendedCode: status('extended_errcode', 'void *db'),
    message: library.func('const char *sqlite3_errmsg(void *db)') as (db: Pointer) => string,
    prepare: status(
      'prepare_v2',
      'void *db, uint8_t *sql, int bytes, _Out_ void **statement, _Out_ void **tail',
    ),
    finalize: status('finalize', 'void *statement'),
    bindInt: status('bind_int64', 'void *statement, int at, int64_t value'),
    bindDouble: status('bind_double', 'void *statement, int at, double value'),
    bindText: status('bind_text', 'void *statement, int at, uint8_t *text, int bytes, intptr_t destructor'),
    bindNull: status('bind_null', 'void *statement, int at'),
    step: status('step', 'void *statement'),
    reset: status('reset', 'void *statement'),
    columns: status('column_count', 'void *statement'),
    typeOf: status('column_type', 'void *statement, int at'),
    bytesOf: status('column_bytes', 'void *statement, int at'),
    intOf: library.func('int64_t sqlite3_column_int64(void *statement, int at)') as (
      s: Pointer,
      at: number,
    ) => number | bigint,
    doubleOf: library.func('double sqlite3_column_double(void *statement, int at)') as (
      s: Pointer,
      at: number,
    ) => number,
    textOf: library.func('void *sqlite3_column_blob(void *statement, int at)') as (
      s: Pointer,
      at: number,
    ) => Pointer,
  };
}

function findLibrary(): ReturnType<typeof koffi.load> {
  const reasons = fileNames.map((name) => {
    try {
      return koffi.load(name);
    } catch (error) {
      return describeError(error);
    }
  });
  const library = reasons.find((one) => typeof one !== 'string');
  if (library !== undefined && typeof library !== 'string') return library;
  throw new Error(
    `Cannot load SQLite: expected Node 22.13 or later, or ${fileNames[0]}, found neither; install it (Debian: apt install libsqlite3-0)`,
  );
}

class LibraryDatabase implements SqliteDatabase {
  readonly #library: Library;
  readonly #statements: Pointer[] = [];
  #database: Pointer;

  constructor(library: Library, path: string, flags: number) {
    this.#library = library;
    const out: Pointer[] = [null];
    const code = library.open(path, out, flags, null);
    this.#database = out[0];
    if (code === ok) return;
    const error = this.#describe();
    this.close();
    throw error;
  }

  execute(sql: string): void {
    for (let rest: Buffer | undefined = Buffer.from(`${sql}\0`); rest !== undefined;)
      rest = this.#executeFirst(rest);
  }

  prepare(sql: string): SqliteStatement {
    const { statement } = this.#compile(Buffer.from(`${sql}\0`));
    this.#statements.push(statement);
    return new LibraryStatement(this.#library, statement, () => this.#describe());
  }

  close(): void {
    if (this.#database === undefined || this.#database === null) return;
    for (const statement of this.#statements.splice(0)) this.#library.finalize(statement);
    this.#library.close(this.#database);
    this.#database = undefined;
  }

  /** @returns the statements that follow; undefined if there is none */
  #executeFirst(sql: Buffer): Buffer | undefined {
    const { statement, rest } = this.#compile(sql);
    if (statement === null) return undefined;
    let code = this.#library.step(statement);
    while (code === row) code = this.#library.step(statement);
    const error = code === done ? undefined : this.#describe();
    this.#library.finalize(statement);
    if (error) throw error;
    return rest;
  }

  #compile(sql: Buffer): { readonly statement: Pointer; readonly rest: Buffer } {
    const [statement, tail]: [Pointer[], Pointer[]] = [[null], [null]];
    const code = this.#library.prepare(this.#database, sql, sql.length, statement, tail);
    if (code !== ok) throw this.#describe();
    const used = Number(koffi.address(tail[0]) - koffi.address(sql));
    return { statement: statement[0], rest: sql.subarray(used) };
  }

  #describe(): SqliteError {
    const { message, extendedCode } = this.#library;
    return new SqliteError(message(this.#database), extendedCode(this.#database));
  }
}

class LibraryStatement implements SqliteStatement {
  readonly #library: Library;
  readonly #statement: Pointer;
  readonly #describe: () => SqliteError;

  constructor(library: Library, statement: Pointer, describe: () => SqliteError) {
    this.#library = library;
    this.#statement = statement;
    this.#describe = describe;
  }

  run(...values: readonly SqliteValue[]): void {
    const { step, reset } = this.#library;
    this.#bind(values);
    let code = step(this.#statement);
    while (code === row) code = step(this.#statement);
    const error = code === done ? undefined : this.#describe();
    reset(this.#statement);
    if (error) throw error;
  }

  *rows(...values: readonly SqliteValue[]): Iterable<readonly SqliteValue[]> {
    const { step, reset, columns } = this.#library;
    this.#bind(values);
    const width = columns(this.#statement);
    try {
      let code = step(this.#statement);
      for (; code === row; code = step(this.#statement))
        yield Array.from({ length: width }, (_, at) => this.#read(at));
      if (code !== done) throw this.#describe();
    } finally {
      reset(this.#statement);
    }
  }

  #bind(values: readonly SqliteValue[]): void {
    const { bindDouble, bindInt, bindNull, bindText } = this.#library;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? null;
      const at = i + 1;
      if (typeof value === 'bigint') bindInt(this.#statement, at, value);
      else if (typeof value === 'number') bindDouble(this.#statement, at, value);
      else if (value === null) bindNull(this.#statement, at);
      else {
        // An empty buffer has no address, and would mean null.
        const bytes = Buffer.from(`${value}\0`);
        bindText(this.#statement, at, bytes, bytes.length - 1, transient);
      }
    }
  }

  #read(at: number): SqliteValue {
    const { typeOf, bytesOf, intOf, doubleOf, textOf } = this.#library;
    const type = typeOf(this.#statement, at);
    if (type === integer) return BigInt(intOf(this.#statement, at));
    if (type === float) return doubleOf(this.#statement, at);
    if (type !== text && type !== blob) return null;
    const from = textOf(this.#statement, at);
    const length = bytesOf(this.#statement, at);
    return length === 0 ? '' : Buffer.from(koffi.decode(from, 'uint8_t', length) as Uint8Array).toString();
  }
}
