import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeError } from '../errors.js';

/**
 * Writes a file that only its owner may read. A reader sees the old file or the new one, never half of it.
 * @throws Error when it cannot be written
 */
export function replaceFile(path: string, text: string): void {
  try {
    // An earlier run may have left a file there, or anyone a FIFO, which would block: the file is always a new one.
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, text, { mode: 0o600, flag: 'wx' });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${describeError(error)}`, { cause: error });
  }
}
