import type { SqliteDatabase, SqliteOptions } from './sqlite-database.js';
import { openWithLibrary } from './sqlite-library.js';
import { openWithNode } from './sqlite-node.js';

/**
 * Opens a database with the SQLite of Node, which has one from 22.13 on, else with the library of the system.
 * @throws SqliteError, or Error where there is neither
 */
export function openSqlite(path: string, options: SqliteOptions = {}): SqliteDatabase {
  return openWithNode(path, options) ?? openWithLibrary(path, options);
}
