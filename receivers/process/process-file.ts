import { closeSync, readSync } from 'node:fs';
import { openWithoutWaiting } from '../../src/linux/regular-file.js';

/** Descriptors that may be kept open. Where they are spent, files are opened for each reading. */
export class DescriptorBudget {
  #left: number;

  constructor(limit: number) {
    this.#left = limit;
  }

  take(): boolean {
    if (this.#left <= 0) return false;
    this.#left--;
    return true;
  }

  giveBack(): void {
    this.#left++;
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
      return isGone(error) ? 'gone' : 'failed';
    }
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#budget.giveBack();
  }

  #readFirst(buffer: Uint8Array): number {
    const fd = openWithoutWaiting(this.#path);
    if (this.#budget.take()) {
      this.#fd = fd;
      return readSync(fd, buffer, 0, buffer.length, 0);
    }
    try {
      return readSync(fd, buffer, 0, buffer.length, 0);
    } finally {
      closeSync(fd);
    }
  }
}

function isGone(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'ESRCH';
}
