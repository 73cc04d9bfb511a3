import { closeSync, openSync } from 'node:fs';
import { fcntl, libc, nameErrno } from './libc.js';

// include/uapi/linux/fcntl.h, include/uapi/asm-generic/fcntl.h and linux/memfd.h
const setSignal = 10;
const setLease = 1024;
const writeLease = 1;
const noLease = 2;
const closeOnExec = 1;
/**
 * SIGURG, ignored by default. The kernel sends a signal when the gate is reached; the default, SIGIO, would end
 * this process.
 */
const sigUrg = 23;

const memfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)') as (
  name: string,
  flags: number,
) => number;

/**
 * Blocks a process that opens `paths` until it is released: the first path is a file with a lease (fcntl(2),
 * F_SETLEASE). The kernel ends the lease with this process, and after fs.lease-break-time, 45 s unless set.
 */
export class Gate {
  readonly #fd: number;
  /** Open as long as this process exists. */
  readonly #witness: number;

  /** @throws Error if the kernel does not support leases */
  constructor() {
    this.#fd = openMemory();
    try {
      fcntl(this.#fd, setSignal, 'int', sigUrg);
      if (fcntl(this.#fd, setLease, 'int', writeLease) !== 0)
        throw new Error(`Cannot hold a process: expected a lease on a file, found ${nameErrno()}`);
      this.#witness = openSync('/dev/null', 'r');
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** To be opened in this order. The second one does not exist if this process has ended meanwhile. */
  get paths(): readonly string[] {
    return [this.#fd, this.#witness].map((fd) => `/proc/${process.pid}/fd/${fd}`);
  }

  /** The descriptor. The gate opens at the end of this process only if no other process has it. */
  get fd(): number {
    return this.#fd;
  }

  /** Lets every process pass, including those that open it later. */
  release(): void {
    fcntl(this.#fd, setLease, 'int', noLease);
  }

  /** Call it once, when every process has passed. */
  close(): void {
    closeSync(this.#fd);
    closeSync(this.#witness);
  }
}

/** Opens a new file in memory once: only then is a lease granted on it. */
function openMemory(): number {
  const memory = memfdCreate('gate', closeOnExec);
  if (memory < 0) throw new Error(`Cannot create a file in memory: ${nameErrno()}`);
  try {
    return openSync(`/proc/self/fd/${memory}`, 'r');
  } finally {
    closeSync(memory);
  }
}
