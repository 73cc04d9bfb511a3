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
  readonly #witness = openSync('/dev/null', 'r');

  /** @throws Error if the kernel does not support leases */
  constructor() {
    const memory = memfdCreate('gate', closeOnExec);
    if (memory < 0) throw new Error(`Cannot create a file in memory: ${nameErrno()}`);
    this.#fd = openSync(`/proc/self/fd/${memory}`, 'r');
    // A lease is granted only on a file that is open once.
    closeSync(memory);
    fcntl(this.#fd, setSignal, 'int', sigUrg);
    if (fcntl(this.#fd, setLease, 'int', writeLease) === 0) return;
    const reason = nameErrno();
    this.close();
    throw new Error(`Cannot hold a process: expected a lease on a file, found ${reason}`);
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
