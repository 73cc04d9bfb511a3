import { closeSync, readSync } from 'node:fs';
import { findErrorCode, isOutOfDescriptors } from '../../src/errors.js';
import { openWithoutWaiting } from '../../src/linux/regular-file.js';

/**
 * Descriptors that are kept open, as a cache: files for which there is none are opened for each reading. When
 * descriptors run out all the same, the cache is given up for what others need.
 */
export class DescriptorBudget {
  readonly #firstReserved: number;
  readonly #kept = new Set<ProcessFile>();
  #maxKept: number;
  #exhaustion: unknown;

  /** @param firstReserved descriptors with this number or a higher one are not kept */
  constructor(maxKept: number, firstReserved = Infinity) {
    this.#maxKept = maxKept;
    this.#firstReserved = firstReserved;
  }

  /** Whether a file may keep a descriptor; if so, `forget` must follow when it is closed. */
  keep(file: ProcessFile, fd: number): boolean {
    if (this.#kept.size >= this.#maxKept || fd >= this.#firstReserved) return false;
    this.#kept.add(file);
    return true;
  }

  forget(file: ProcessFile): void {
    this.#kept.delete(file);
  }

  /**
   * Closes what is kept, and keeps half as many from now on.
   * @returns whether that has made descriptors free
   */
  giveUp(): boolean {
    const { size } = this.#kept;
    if (size === 0) return false;
    this.#maxKept = Math.min(this.#maxKept, Math.floor(size / 2));
    for (const file of this.#kept) file.close();
    return true;
  }

  /** A file could not be opened because no descriptor was free. */
  noteExhaustion(error: unknown): void {
    this.#exhaustion = error;
  }

  /** The last error of that kind since the last call, if there was one. */
  takeExhaustion(): unknown {
    const error = this.#exhaustion;
    this.#exhaustion = undefined;
    return error;
  }
}

/** What came of reading a process' file: its length, or why there is none. */
export type ReadResult = number | 'gone' | 'failed';

/**
 * A file of one process. A kept descriptor stays with the process that it was opened for: once that is gone,
 * reading fails, even when the pid belongs to another process by then.
 */
export class ProcessFile {
  readonly #path: string;
  readonly #budget: DescriptorBudget;
  #fd: number | undefined;

  constructor(path: string, budget: DescriptorBudget) {
    this.#path = path;
    this.#budget = budget;
  }

  /** Reads the file from its start. The kernel gives a file of one process in one piece. */
  read(buffer: Uint8Array): ReadResult {
    try {
      return this.#fd === undefined
        ? this.#readFirst(buffer)
        : readSync(this.#fd, buffer, 0, buffer.length, 0);
    } catch (error) {
      if (isOutOfDescriptors(error)) this.#budget.noteExhaustion(error);
      return isGone(error) ? 'gone' : 'failed';
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#budget.forget(this);
  }

  #readFirst(buffer: Uint8Array): number {
    const fd = this.#open();
    if (this.#budget.keep(this, fd)) {
      this.#fd = fd;
      return readSync(fd, buffer, 0, buffer.length, 0);
    }
    try {
      return readSync(fd, buffer, 0, buffer.length, 0);
    } finally {
      closeSync(fd);
    }
  }

  #open(): number {
    try {
      return openWithoutWaiting(this.#path);
    } catch (error) {
      if (!isOutOfDescriptors(error) || !this.#budget.giveUp()) throw error;
      return openWithoutWaiting(this.#path);
    }
  }
}

function isGone(error: unknown): boolean {
  const code = findErrorCode(error);
  return code === 'ENOENT' || code === 'ESRCH';
}
