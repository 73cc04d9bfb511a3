import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeCode, describeError } from '../../src/errors.js';
import { openSqlite } from '../../src/sql/sqlite.js';
import { sqliteCodes, SqliteError } from '../../src/sql/sqlite-database.js';

/**
 * Looks whether a file can be written at all. What passes, as a lock or a full disk, does not keep the agent from starting.
 * @returns why it never can; undefined where it can, perhaps later
 */
export function findRefusal(path: string): string | undefined {
  try {
    if (!existsSync(path)) {
      accessSync(dirname(path), constants.W_OK);
      openSqlite(':memory:').close();
      return undefined;
    }
    const database = openSqlite(path, { isReadOnly: true });
    try {
      for (const _ of database.prepare('SELECT count(*) FROM sqlite_schema').rows());
    } finally {
      database.close();
    }
    return undefined;
  } catch (error) {
    return describeLasting(error, path);
  }
}

/** @returns undefined for what passes */
function describeLasting(error: unknown, path: string): string | undefined {
  if (!(error instanceof SqliteError)) {
    const isSystems = error instanceof Error && 'syscall' in error;
    return isSystems
      ? `${describeCode(error)}, its folder ${dirname(path)} cannot be written`
      : describeError(error);
  }
  if (error.code === sqliteCodes.notDatabase) return 'expected a SQLite database, found another file';
  return undefined;
}
