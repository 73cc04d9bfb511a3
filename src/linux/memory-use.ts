import { readFileSync } from 'node:fs';
import { pageSize } from './libc.js';

/** Memory of a process, in bytes. */
export interface MemoryUse {
  /** Physical memory, including pages of programs and libraries that other processes may share. */
  readonly residentBytes: number;
  /** The part of it that belongs to no file and no shared memory: it would be free if the process ended. */
  readonly privateBytes: number;
}

/**
 * Reads the memory use of a process. `smaps_rollup` gives the same private memory, but walks the page tables
 * for it: 2 ms for 100 MB, where `statm` takes 45 us.
 * @throws Error if there is no such process
 */
export function readMemoryUse(pid: number | 'self'): MemoryUse {
  const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
  return { residentBytes: resident * pageSize, privateBytes: (resident - shared) * pageSize };
}
