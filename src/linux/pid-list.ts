import { closeSync, readdirSync } from 'node:fs';
import { libc, nameErrno } from './libc.js';
import { openFolder } from './regular-file.js';

type Getdents = (fd: number, entries: Uint8Array, size: number) => number;
type Lseek = (fd: number, offset: number, whence: number) => number;

const digit0 = 0x30;
const digit9 = 0x39;

// struct linux_dirent64: inode, offset, length of this record, type, zero-terminated name.
const lengthAt = 16;
const nameAt = 19;

/** Lists the processes of a procfs repeatedly. Must be closed. */
export interface PidList {
  /**
   * Lists them in kernel order.
   * @throws Error if the folder cannot be read
   */
  read(): readonly number[];
  close(): void;
}

/**
 * Opens the list of processes of a procfs.
 * @throws Error when the folder cannot be read
 */
export function openPidList(procfs: string): PidList {
  const getdents = findGetdents();
  return getdents === undefined ? new NameList(procfs) : new EntryList(procfs, getdents);
}

/** C libraries before glibc 2.30 lack the function, but not the system call. */
function findGetdents(): Getdents | undefined {
  try {
    return libc.func('long getdents64(int fd, void *entries, size_t size)');
  } catch {
    return undefined;
  }
}

/** Parses the kernel's directory records directly, which takes half the time of a list of names. */
class EntryList implements PidList {
  readonly #procfs: string;
  readonly #fd: number;
  readonly #getdents: Getdents;
  readonly #lseek: Lseek = libc.func('long lseek(int fd, long offset, int whence)');
  readonly #bytes = new Uint8Array(64 * 1024);
  readonly #lengths = new Uint16Array(this.#bytes.buffer);

  constructor(procfs: string, getdents: Getdents) {
    this.#procfs = procfs;
    this.#getdents = getdents;
    this.#fd = openFolder(procfs);
  }

  read(): readonly number[] {
    const pids: number[] = [];
    this.#lseek(this.#fd, 0, 0);
    for (;;) {
      const length = this.#getdents(this.#fd, this.#bytes, this.#bytes.length);
      if (length < 0) throw new Error(`Cannot list the processes in ${this.#procfs}: ${nameErrno()}`);
      if (length === 0) return pids;
      this.#parse(length, pids);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #parse(length: number, pids: number[]): void {
    // Records are aligned to 8 bytes.
    for (let at = 0; at < length; at += this.#lengths[(at + lengthAt) / 2] ?? length) {
      const pid = parsePid(this.#bytes, at + nameAt);
      if (pid > 0) pids.push(pid);
    }
  }
}

/** @returns 0 if the name is not a number */
function parsePid(bytes: Uint8Array, from: number): number {
  let pid = 0;
  for (let at = from; ; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < digit0 || byte > digit9) return byte === 0 ? pid : 0;
    pid = pid * 10 + (byte - digit0);
  }
}

class NameList implements PidList {
  readonly #procfs: string;

  constructor(procfs: string) {
    this.#procfs = procfs;
  }

  read(): readonly number[] {
    return readdirSync(this.#procfs)
      .map(Number)
      .filter((pid) => pid > 0);
  }

  close(): void {}
}
