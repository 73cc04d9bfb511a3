import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  statSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { describeCode } from '../../src/errors.js';
import { lockFile } from '../../src/linux/file-lock.js';

/** Readings and process names are readable by the owner only. */
const mode = 0o600;

/** A file that is written from front to back and loses nothing when the disk is full. */
export class OutputFile {
  readonly path: string;
  #fd: number | undefined;
  #size = 0;
  #beganMs = 0;
  #isRegular = true;
  /** Bytes not yet in the file, and their offset. */
  #rest: Uint8Array = new Uint8Array(0);
  #restAt = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** Bytes in the file, once everything is written. */
  get size(): number {
    return this.#size;
  }

  /** When the file was created. */
  get beganMs(): number {
    return this.#beganMs;
  }

  /** False for devices, which have no size and are never renamed. */
  get isRegular(): boolean {
    return this.#isRegular;
  }

  /**
   * Opens or creates the file.
   * @throws Error saying what is missing
   */
  open(): void {
    this.#fd = this.#open();
    const stats = fstatSync(this.#fd);
    this.#isRegular = stats.isFile();
    this.#size = this.#isRegular ? stats.size : 0;
    this.#beganMs = stats.birthtimeMs || stats.mtimeMs;
  }

  /** Reads from the file, up to its end. */
  read(from: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(this.#openFd(), bytes, 0, length, from));
  }

  /** Truncates the file. */
  truncate(size: number): void {
    if (this.#isRegular) ftruncateSync(this.#openFd(), size);
    this.#size = size;
  }

  /** Adds bytes to the file, or replaces its content from `at` on. They are written by `finish`. */
  put(bytes: Uint8Array, at = this.#size): void {
    this.#rest = bytes;
    this.#restAt = at;
    this.#size = at + bytes.length;
  }

  /**
   * Writes the bytes that are not in the file yet.
   * @throws Error when that is currently impossible; the next call continues from there
   */
  finish(): void {
    while (this.#rest.length > 0) {
      const written = this.#write();
      this.#rest = this.#rest.subarray(written);
      this.#restAt += written;
    }
  }

  /** Whether some added bytes are not in the file yet. */
  get hasRest(): boolean {
    return this.#rest.length > 0;
  }

  /**
   * Whether another program rotated, removed or truncated the file: the path names another file or none, the
   * file is not open, or it is shorter than what was written. Continuing a truncated file would fill its start
   * with zeros.
   */
  isGone(): boolean {
    if (this.#fd === undefined) return true;
    if (!this.#isRegular) return false;
    const named = findStats(this.path);
    const own = fstatSync(this.#fd);
    if (named === undefined || named.ino !== own.ino || named.dev !== own.dev) return true;
    return own.size < (this.hasRest ? this.#restAt : this.#size);
  }

  /** Closes the file. Bytes that are not written yet are discarded. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#rest = new Uint8Array(0);
  }

  #write(): number {
    const fd = this.#openFd();
    const at = this.#isRegular ? this.#restAt : null;
    try {
      return writeSync(fd, this.#rest, 0, this.#rest.length, at);
    } catch (error) {
      throw new Error(`Cannot write ${this.path}: ${describeCode(error)}`, { cause: error });
    }
  }

  #openFd(): number {
    if (this.#fd === undefined)
      throw new Error(`Cannot write ${this.path}: expected an open file, found a closed one`);
    return this.#fd;
  }

  #open(): number {
    try {
      this.#refusePipe();
      return openLocked(this.path);
    } catch (error) {
      throw new Error(`Cannot open ${this.path}: ${describeOpenError(error, this.path)}`, { cause: error });
    }
  }

  /** Opening a pipe would block until it has a reader. */
  #refusePipe(): void {
    const stats = findStats(this.path);
    if (stats?.isFIFO()) throw new Error('expected a file, found a pipe');
    if (stats?.isDirectory()) throw new Error('expected a file, found a folder');
  }
}

/** Two exporters on one file would overwrite each other. Devices have no end to overwrite. */
function openLocked(path: string): number {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, mode);
  if (!fstatSync(fd).isFile() || lockFile(fd)) return fd;
  closeSync(fd);
  throw new Error('expected a path of its own, found a file that another exporter or program writes');
}

function findStats(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function describeOpenError(error: unknown, path: string): string {
  const code = describeCode(error);
  if (code === 'ENOENT') return `ENOENT, its folder ${dirname(path)} does not exist`;
  if (code === 'EACCES') return `EACCES, user ${process.getuid?.() ?? '?'} may not write there`;
  return code;
}
