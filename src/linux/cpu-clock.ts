import { endianness } from 'node:os';
import koffi from 'koffi';
import { libc } from './libc.js';

const clockGettime: (clock: number, time: unknown) => number = libc.func(
  'int clock_gettime(int clock, void *time)',
);

const clockBoottime = 7;

// A timespec: two 64-bit numbers. Its address is worked out once, and it is read in halves: converting a typed
// array and a BigInt at each call would take as long as half of it.
const address: unknown = koffi.alloc('uint32_t', 4);
const time = new Uint32Array(koffi.view(address, 16));
const low = endianness() === 'LE' ? 0 : 1;
const high = 1 - low;

function seconds(): number {
  return time[high] * 2 ** 32 + time[low];
}

function nanoseconds(): number {
  return time[2 + low];
}

/** CLOCK_BOOTTIME in nanoseconds: the clock in which procfs says when a process began. */
export function readBootTimeNs(): bigint {
  clockGettime(clockBoottime, address);
  return BigInt(seconds()) * 1_000_000_000n + BigInt(nanoseconds());
}

/**
 * The CPU clock of any process: the time that all its threads ran, in nanoseconds. Of another process that runs at
 * the moment it is up to a tick old (1 to 10 ms, `readTickNs`): since Linux 4.8 only the slice that the caller itself
 * runs is added. This does not add up; once the process sleeps or ends, the clock is exact. Any user may read it.
 * Without steal and, where the kernel accounts for them, interrupts.
 */
export class CpuClock {
  /** Whole seconds of the last reading. */
  seconds = 0;
  /** What the last reading has beyond whole seconds. */
  nanoseconds = 0;

  /**
   * Reads the CPU time of a process since its birth.
   * @param pid as seen in this process' own pid namespace
   * @returns false when there is no such process
   */
  read(pid: number): boolean {
    // CPUCLOCK_SCHED of a whole process: clock_getcpuclockid(3) without its round trip through the kernel.
    if (clockGettime((~pid << 3) | 2, address) !== 0) return false;
    this.seconds = seconds();
    this.nanoseconds = nanoseconds();
    return true;
  }
}
