import {
  SqliteError,
  type SqliteDatabase,
  type SqliteOptions,
  type SqliteStatement,
  type SqliteValue,
} from './sqlite-database.js';

/** The part of `node:sqlite` that is used; Node 20's types do not have it. */
interface NodeStatement {
  setReadBigInts(isEnabled: boolean): void;
  run(...values: readonly SqliteValue[]): unknown;
  iterate(...values: readonly SqliteValue[]): Iterable<Readonly<Record<string, SqliteValue>>>;
}

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  close(): void;
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: { readonly readOnly: boolean }) => NodeDatabase;
}

/** Opens a database with Node's SQLite; undefined if Node has none. */
export function openWithNode(
  path: string,
  { isReadOnly = false }: SqliteOptions,
): SqliteDatabase | undefined {
  const { DatabaseSync } = findModule() ?? {};
  if (DatabaseSync === undefined) return undefined;
  const database = withCode(() => new DatabaseSync(path, { readOnly: isReadOnly }));
  let isOpen = true;
  return {
    execute: (sql) => withCode(() => database.exec(sql)),
    prepare: (sql) => withCode(() => createStatement(database.prepare(sql))),
    close() {
      if (isOpen) database.close();
      isOpen = false;
    },
  };
}

/** Before 22.13 it needs a flag. */
function findModule(): NodeSqlite | undefined {
  // As documented by Node.
  return process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined;
}

function createStatement(statement: NodeStatement): SqliteStatement {
  statement.setReadBigInts(true);
  return {
    run: (...values) => void withCode(() => statement.run(...values)),
    *rows(...values) {
      const rows = withCode(() => statement.iterate(...values))[Symbol.iterator]();
      try {
        for (let next = withCode(() => rows.next()); next.done !== true; next = withCode(() => rows.next()))
          yield Object.values(next.value);
      } finally {
        // An unfinished statement would keep its read transaction open.
        rows.return?.();
      }
    },
  };
}

/** Runs a function and converts its errors. */
function withCode<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && 'errcode' in error)
      throw new SqliteError(error.message, Number(error.errcode), { cause: error });
    throw error;
  }
}
