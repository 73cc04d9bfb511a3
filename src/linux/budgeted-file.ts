import { closeSync, constants } from 'node:fs';
import { libc, nameErrno } from './libc.js';
import { readFromStart } from './sysfs.js';

/**
 * Descriptors that are kept open, as a cache: files for which there is none are opened for each reading. When
 * descriptors run out all the same, the cache is given up for what others need.
 */
export class DescriptorBudget {
  readonly #firstReserved: number;
  readonly #kept = new Set<BudgetedFile>();
  #maxKept: number;
  #exhaustion: unknown;

  /** @param firstReserved descriptors with this number or a higher one are not kept */
  constructor(maxKept: number, firstReserved = Infinity) {
    this.#maxKept = maxKept;
    this.#firstReserved = firstReserved;
  }

  /** Whether a file may keep a descriptor; if so, `forget` must follow when it is closed. */
  keep(file: BudgetedFile, fd: number): boolean {
    if (this.#kept.size >= this.#maxKept || fd >= this.#firstReserved) return false;
    this.#kept.add(file);
    return true;
  }

  forget(file: BudgetedFile): void {
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

/** Without the exceptions of Node, which take ten times as long where most files are absent. */
const openFile: (path: string, flags: number) => number = libc.func('int open(const char *path, int flags)');
// A FIFO without a writer must not block; O_CLOEXEC of include/uapi/asm-generic/fcntl.h.
const openFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | 0o2000000;

const isExhaustion = (code: string): boolean => code === 'EMFILE' || code === 'ENFILE';

/** The outcome of a read: the length, or why there is none. */
export type ReadResult = number | 'gone' | 'failed';

/**
 * A file of a process or a cgroup that is read periodically. A kept descriptor stays with what it was opened for: once
 * that is gone, reading fails, even when another one has its path by then.
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

  /** Why the last read failed, `EACCES`; undefined when it did not. */
  get errorCode(): string | undefined {
    return this.#errorCode;
  }

  /** The descriptor, while one is kept: other readers than this object must not close it. */
  get fd(): number | undefined {
    return this.#fd;
  }

  /**
   * Reads the file from its start, in one piece: what does not fit into the buffer is left out.
   * @returns `gone` when there is no such file any more, or the kernel has switched off what it reports
   */
  read(buffer: Uint8Array): ReadResult {
    this.#errorCode = undefined;
    const length = this.#fd === undefined ? this.#readFirst(buffer) : readFromStart(this.#fd, buffer);
    return length === -1 ? this.#fail(nameErrno()) : length;
  }

  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    this.#budget.forget(this);
  }

  #readFirst(buffer: Uint8Array): ReadResult {
    const fd = this.#open();
    if (typeof fd === 'string') return this.#fail(fd);
    const length = readFromStart(fd, buffer);
    // Closing sets errno, too.
    const result = length === -1 ? this.#fail(nameErrno()) : length;
    if (this.#budget.keep(this, fd)) this.#fd = fd;
    else closeSync(fd);
    return result;
  }

  /** @returns the descriptor, or the name of the error */
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
