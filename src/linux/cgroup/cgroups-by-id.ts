import { closeSync, readlinkSync } from 'node:fs';
import { libc } from '../libc.js';
import { openFolder } from '../regular-file.js';
import { findHierarchies, joinRoot, type Hierarchy } from './hierarchies.js';

const openByHandleAt: (mount: number, handle: Uint8Array, flags: number) => number = libc.func(
  'int open_by_handle_at(int mount_fd, void *handle, int flags)',
);

// FILEID_KERNFS of include/linux/exportfs.h; O_PATH and O_CLOEXEC of include/uapi/asm-generic/fcntl.h.
const kernfsHandle = 0xfe;
const flags = 0o10000000 | 0o2000000;

/** Finds cgroups of version 2 by the kernel's ids. Needs CAP_DAC_READ_SEARCH, and finds none without it. */
export class CgroupsById {
  readonly #hierarchy: Hierarchy | undefined;
  readonly #handle = Buffer.alloc(16);
  #folder: number | undefined;

  constructor(hierarchies = findHierarchies({ procfs: '/proc', cgroupfs: '' })) {
    this.#hierarchy = hierarchies.find(({ version }) => version === 2);
    // struct file_handle: size and type of the following bytes, then the id.
    this.#handle.writeUInt32LE(8, 0);
    this.#handle.writeInt32LE(kernfsHandle, 4);
  }

  /** @returns the path as in `/proc/PID/cgroup`; undefined if the cgroup is gone or cannot be looked up */
  findPath(id: number): string | undefined {
    if (this.#hierarchy === undefined) return undefined;
    this.#folder ??= findFolder(this.#hierarchy.folder);
    if (this.#folder === undefined) return undefined;
    this.#handle.writeBigUInt64LE(BigInt(id), 8);
    const fd = openByHandleAt(this.#folder, this.#handle, flags);
    if (fd < 0) return undefined;
    try {
      return pathIn(this.#hierarchy, readlinkSync(`/proc/self/fd/${fd}`));
    } finally {
      closeSync(fd);
    }
  }

  /** May be called twice. */
  close(): void {
    if (this.#folder !== undefined) closeSync(this.#folder);
    this.#folder = undefined;
  }
}

/** Undefined where it was unmounted, or may not be entered. */
function findFolder(path: string): number | undefined {
  try {
    return openFolder(path);
  } catch {
    return undefined;
  }
}

function pathIn(hierarchy: Hierarchy, path: string): string | undefined {
  if (path === hierarchy.folder) return joinRoot(hierarchy, '/');
  const isBelow = path.startsWith(`${hierarchy.folder}/`);
  return isBelow ? joinRoot(hierarchy, path.slice(hierarchy.folder.length)) : undefined;
}
