import type { SqliteDatabase, SqliteOptions } from './sqlite-database.js';
import { openWithLibrary } from './sqlite-library.js';
import { openWithNode } from './sqlite-node.js';

/**
 * Opens a database with Node's SQLite, which exists since 22.13, or else with the system's library.
 * @throws SqliteError, or Error if there is neither
 */
export function openSqlite(path: string, options: SqliteOptions = {}): SqliteDatabase {
  return openWithNode(path, options) ?? openWithLibrary(path, options);
}
