import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeError } from '../errors.js';

/**
 * Atomically writes a file that only its owner may read.
 * @throws Error if it cannot be written
 */
export function replaceFile(path: string, text: string): void {
  try {
    // An earlier run may have left the file, or another user may have created a FIFO, which would block: a new
    // file is created in any case.
    rmSync(`${path}.new`, { force: true });
    writeFileSync(`${path}.new`, text, { mode: 0o600, flag: 'wx' });
    renameSync(`${path}.new`, path);
  } catch (error) {
    throw new Error(`Cannot write ${path}: ${describeError(error)}`, { cause: error });
  }
}
