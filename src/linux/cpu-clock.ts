import { libc } from './libc.js';

const clockGettime: (clock: number, time: BigInt64Array) => number = libc.func(
  'int clock_gettime(int clock, void *time)',
);

const clockBoottime = 7;

/** A `timespec`: seconds and nanoseconds. */
const time = new BigInt64Array(2);

/** CLOCK_BOOTTIME in nanoseconds: the clock in which procfs says when a process began. */
export function readBootTimeNs(): bigint {
  clockGettime(clockBoottime, time);
  return (time[0] ?? 0n) * 1_000_000_000n + (time[1] ?? 0n);
}

/**
 * The CPU clock of any process: the time that all its threads ran, to the nanosecond, the slice that is running
 * included. Any user may read it. Without steal and, where the kernel accounts for them, interrupts.
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
    if (clockGettime((~pid << 3) | 2, time) !== 0) return false;
    this.seconds = Number(time[0]);
    this.nanoseconds = Number(time[1]);
    return true;
  }
}
