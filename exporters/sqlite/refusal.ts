import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeCode, describeError } from '../../src/errors.js';
import { openSqlite } from '../../src/sql/sqlite.js';
import { sqliteCodes, SqliteError } from '../../src/sql/sqlite-database.js';

/**
 * Checks whether a file can be written at all. Transient errors, such as a lock or a full disk, do not prevent
 * the start of the agent.
 * @returns why it can never be written; undefined if it can, possibly later
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

/** @returns undefined for transient errors */
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
