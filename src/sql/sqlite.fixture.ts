import { describeError } from '../errors.js';
import { openSqlite } from './sqlite.js';

/** Why SQLite tests cannot run here; false if they can. */
export const noSqlite: string | false = findObstacle();

function findObstacle(): string | false {
  try {
    openSqlite(':memory:').close();
    return false;
  } catch (error) {
    return describeError(error);
  }
}
