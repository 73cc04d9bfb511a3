import { closeSync, constants } from 'node:fs';
import { libc, nameErrno } from './libc.js';
import { readFromStart } from './sysfs.js';

/**
 * A cache of open descriptors: files without one are opened for each reading. When the process runs out of
 * descriptors, the cache is released for other uses.
 */
export class DescriptorBudget {
  readonly #firstReserved: number;
  /** By descriptor: a set would take 45 bytes for each file. */
  #kept: (BudgetedFile | undefined)[] = [];
  #count = 0;
  #maxKept: number;
  #exhaustion: unknown;

  /** @param firstReserved descriptors with this or a higher number are not kept */
  constructor(maxKept: number, firstReserved = Infinity) {
    this.#maxKept = maxKept;
    this.#firstReserved = firstReserved;
  }

  /** Whether a file may keep a descriptor; if so, `forget` must follow when it is closed. */
  keep(file: BudgetedFile, fd: number): boolean {
    if (this.#count >= this.#maxKept || fd >= this.#firstReserved) return false;
    // An array with a gap at its end would become a map.
    while (this.#kept.length < fd) this.#kept.push(undefined);
    this.#kept[fd] = file;
    this.#count += 1;
    return true;
  }

  forget(fd: number): void {
    this.#kept[fd] = undefined;
    this.#count -= 1;
  }

  /**
   * Closes all kept descriptors, and keeps half as many from now on.
   * @returns whether that has freed descriptors
   */
  giveUp(): boolean {
    const count = this.#count;
    if (count === 0) return false;
    this.#maxKept = Math.min(this.#maxKept, Math.floor(count / 2));
    for (const file of this.#kept) file?.close();
    this.#kept = [];
    return true;
  }

  /** A file could not be opened because no descriptor was free. */
  noteExhaustion(error: unknown): void {
    this.#exhaustion = error;
  }

  /** The last such error since the last call, if there was one. */
  takeExhaustion(): unknown {
    const error = this.#exhaustion;
    this.#exhaustion = undefined;
    return error;
  }
}

/** Avoids Node's exceptions, which take ten times as long when most files are absent. */
const openFile: (path: string, flags: number) => number = libc.func('int open(const char *path, int flags)');
// O_NONBLOCK: a FIFO without a writer must not block; O_CLOEXEC of include/uapi/asm-generic/fcntl.h.
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | 0o2000000;

const isExhaustion = (code: string): boolean => code === 'EMFILE' || code === 'ENFILE';

/** The result of a read: the length, or why it failed. */
export type ReadResult = number | 'gone' | 'failed';

/**
 * A file of a process or a cgroup that is read periodically. A kept descriptor stays with the object that it
 * was opened for: once that is gone, reading fails, even if another object has the same path by then.
 */
export class BudgetedFile {
  readonly path: string;
  readonly #budget: DescriptorBudget;
  #fd: number | undefined;
  #errorCode: string | undefined;

  constructor(path: string, budget: DescriptorBudget) {
    this.path = path;
    this.#budget = budget;
  }

  /** The error code of the last read, `EACCES`; undefined if it succeeded. */
  get errorCode(): string | undefined {
    return this.#errorCode;
  }

  /** The descriptor, while one is kept: callers must not close it. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /**
   * Reads the file from its start, with one call: what does not fit into the buffer is left out.
   * @returns `gone` if the file no longer exists, or the kernel has disabled what it reports
   */
  read(buffer: Uint8Array): ReadResult {
    this.#errorCode = undefined;
    const length = this.#fd === undefined ? this.#readFirst(buffer) : readFromStart(this.#fd, buffer);
    return length === -1 ? this.#fail(nameErrno()) : length;
  }

  close(): void {
    const fd = this.#fd;
    if (fd === undefined) return;
    closeSync(fd);
    this.#fd = undefined;
    this.#budget.forget(fd);
  }

  #readFirst(buffer: Uint8Array): ReadResult {
    const fd = this.#open();
    if (typeof fd === 'string') return this.#fail(fd);
    const length = readFromStart(fd, buffer);
    // Closing may overwrite errno.
    const result = length === -1 ? this.#fail(nameErrno()) : length;
    if (this.#budget.keep(this, fd)) this.#fd = fd;
    else closeSync(fd);
    return result;
  }

  /** @returns the descriptor, or the error code */
  #open(): number | string {
    let fd = openFile(this.path, openFlags);
    if (fd !== -1) return fd;
    let code = nameErrno();
    if (!isExhaustion(code)) return code;
    if (this.#budget.giveUp()) fd = openFile(this.path, openFlags);
    if (fd !== -1) return fd;
    code = nameErrno();
    this.#budget.noteExhaustion(Object.assign(new Error(`${code}: cannot open ${this.path}`), { code }));
    return code;
  }

  #fail(code: string): 'gone' | 'failed' {
    this.#errorCode = code;
    return goneCodes.has(code) ? 'gone' : 'failed';
  }
}

/** ESRCH: the process has ended. ENODEV: the cgroup was removed. EOPNOTSUPP: pressure is switched off. */
const goneCodes = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EOPNOTSUPP']);
