import { closeSync, openSync } from 'node:fs';
import { fcntl, libc, nameErrno } from './libc.js';

// include/uapi/linux/fcntl.h, include/uapi/asm-generic/fcntl.h and linux/memfd.h
const setSignal = 10;
const setLease = 1024;
const writeLease = 1;
const noLease = 2;
const closeOnExec = 1;
/** Ignored by default. The kernel sends a signal when the gate is reached; its standard would end this process. */
const sigUrg = 23;

const memfdCreate = libc.func('int memfd_create(const char *name, unsigned int flags)') as (
  name: string,
  flags: number,
) => number;

/**
 * Makes a process that opens `paths` wait until it is released: the first is a file under a lease (fcntl(2),
 * F_SETLEASE). The kernel ends the lease with this process, and after fs.lease-break-time, 45 s unless set.
 */
export class Gate {
  readonly #fd: number;
  /** Open for as long as this process is there. */
  readonly #witness = openSync('/dev/null', 'r');

  /** @throws Error when the kernel has no leases */
  constructor() {
    const memory = memfdCreate('gate', closeOnExec);
    if (memory < 0) throw new Error(`Cannot create a file in memory: ${nameErrno()}`);
    this.#fd = openSync(`/proc/self/fd/${memory}`, 'r');
    // A lease is given only where the file is open just once.
    closeSync(memory);
    fcntl(this.#fd, setSignal, 'int', sigUrg);
    if (fcntl(this.#fd, setLease, 'int', writeLease) === 0) return;
    const reason = nameErrno();
    this.close();
    throw new Error(`Cannot hold a process: expected a lease on a file, found ${reason}`);
  }

  /** To be opened in this order. The second one is not there when this process has ended meanwhile. */
  get paths(): readonly string[] {
    return [this.#fd, this.#witness].map((fd) => `/proc/${process.pid}/fd/${fd}`);
  }

  /** The descriptor. Only where no other process has it does the gate open with the end of this process. */
  get fd(): number {
    return this.#fd;
  }

  /** Lets every process pass, also one that opens it only then. */
  release(): void {
    fcntl(this.#fd, setLease, 'int', noLease);
  }

  /** To be called once, when every process has passed. */
  close(): void {
    closeSync(this.#fd);
    closeSync(this.#witness);
  }
}
