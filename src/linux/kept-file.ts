import { closeSync } from 'node:fs';
import { describeCode, findErrorCode } from '../errors.js';
import { readWhole } from './procfs.js';
import { maxSystemFileBytes, openRegularFile, UnusableFileError } from './regular-file.js';

// One buffer for all files: a file is parsed before the next one is read.
let buffer = Buffer.allocUnsafeSlow(16_384);

/** A pseudo file that is read repeatedly through one descriptor, which is opened by the first read. */
export class KeptFile {
  readonly path: string;
  #fd: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * Reads the complete file again. The bytes are valid until the next read of any kept file.
   * @throws Error if it cannot be opened or read, with the system's error as its cause, or is empty; the next
   * read opens it again
   */
  read(): Buffer {
    const length = this.#readWhole();
    if (length === 0) {
      this.close();
      throw new Error(`Cannot read ${this.path}: expected text, found none`);
    }
    return buffer.subarray(0, length);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #readWhole(): number {
    try {
      this.#fd ??= openRegularFile(this.path);
      for (;;) {
        const length = readWhole(this.#fd, buffer);
        if (length < buffer.length) return length;
        if (length >= maxSystemFileBytes) throw tooLong();
        buffer = Buffer.allocUnsafeSlow(2 * buffer.length);
      }
    } catch (error) {
      this.close();
      throw new Error(`Cannot read ${this.path}: ${describeCode(error)}`, { cause: error });
    }
  }
}

function tooLong(): Error {
  return new UnusableFileError(`expected at most ${maxSystemFileBytes} bytes, found more`);
}

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'EOPNOTSUPP', 'ENOTSUP', 'ENODEV']);

/** Whether a read failed because the kernel does not have the file, or not the feature behind it. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Error && absentCodes.has(findErrorCode(error.cause) ?? '');
}
