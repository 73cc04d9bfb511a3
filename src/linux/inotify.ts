import { closeSync } from 'node:fs';
import { describeError } from '../errors.js';
import { libc, nameErrno } from './libc.js';

const inotifyInit1: (flags: number) => number = libc.func('int inotify_init1(int flags)');
const inotifyAddWatch: (fd: number, path: string, mask: number) => number = libc.func(
  'int inotify_add_watch(int fd, const char *path, uint32_t mask)',
);
const inotifyRmWatch: (fd: number, watch: number) => number = libc.func(
  'int inotify_rm_watch(int fd, int wd)',
);
const read: (fd: number, buffer: Uint8Array, size: number) => number = libc.func(
  'long read(int fd, void *buffer, size_t count)',
);

// include/uapi/linux/inotify.h and include/uapi/asm-generic/fcntl.h
const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
const movedFrom = 0x40;
const movedTo = 0x80;
const created = 0x100;
const deleted = 0x200;
const overflow = 0x4000;
const onlyFolders = 0x0100_0000;
const isFolder = 0x4000_0000;
const appears = created | movedTo;
const vanishes = deleted | movedFrom;

// struct inotify_event: watch, mask, cookie, length of the following name, padded with zeros.
const headerBytes = 16;

/** Changes of the folders in watched folders. */
export interface FolderEvents {
  /** A folder with this name was created (`isThere`) or removed; that may have changed again since. */
  change(watch: number, name: string, isThere: boolean): void;
  /** Events were lost: everything has to be checked again. */
  overflow(): void;
}

/** Watches folders for the creation and removal of subfolders, through one descriptor. */
export class FolderWatch {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(64 * 1024);

  /** @throws Error if no watch can be created, naming the setting that limits their number */
  constructor() {
    this.#fd = inotifyInit1(nonBlocking | closeOnExec);
    if (this.#fd >= 0) return;
    throw new Error(`Cannot watch folders: ${nameErrno()}; sysctl fs.inotify.max_user_instances=1024`);
  }

  /**
   * Watches one more folder, until it is removed or `remove` is called.
   * @returns the number of the watch, or the error code
   */
  add(folder: string): number | string {
    const watch = inotifyAddWatch(this.#fd, folder, appears | vanishes | onlyFolders);
    return watch >= 0 ? watch : nameErrno();
  }

  /** Ends a watch. Does nothing if it has ended already. */
  remove(watch: number): void {
    inotifyRmWatch(this.#fd, watch);
  }

  /** Reports what has happened since the last call, oldest first. */
  drain(events: FolderEvents): void {
    for (;;) {
      const length = read(this.#fd, this.#buffer, this.#buffer.length);
      if (length <= 0) return;
      for (let at = 0; at < length;) at = this.#dispatch(at, events);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #dispatch(at: number, events: FolderEvents): number {
    const buffer = this.#buffer;
    const mask = buffer.readUInt32LE(at + 4);
    const nameAt = at + headerBytes;
    const next = nameAt + buffer.readUInt32LE(at + 12);
    if ((mask & overflow) !== 0) events.overflow();
    if ((mask & isFolder) === 0 || (mask & (appears | vanishes)) === 0) return next;
    const end = buffer.indexOf(0, nameAt);
    events.change(buffer.readInt32LE(at), buffer.toString('utf8', nameAt, end), (mask & appears) !== 0);
    return next;
  }
}

/**
 * Opens a watch of folders.
 * @param onProblem called with the reason if that fails: then the folders have to be polled instead
 */
export function openFolderWatch(onProblem: (problem: string) => void): FolderWatch | undefined {
  try {
    return new FolderWatch();
  } catch (error) {
    onProblem(describeError(error));
    return undefined;
  }
}
