import { endianness } from 'node:os';
import { addressOf, libc } from './libc.js';

// Clock numbers: include/uapi/linux/time.h.
const realtime = 0;
const monotonic = 1;
const threadCpuTime = 3;
const realtimeCoarse = 5;
const boottime = 7;

const clockGettime = libc.func('int clock_gettime(int clock, uintptr_t time)') as (
  clock: number,
  time: number,
) => number;

const clockGetres = libc.func('int clock_getres(int clock, uintptr_t time)') as typeof clockGettime;

const timespec = new ArrayBuffer(16);
const timespecAddress = addressOf(timespec);
const words = new BigInt64Array(timespec);
/** Monotonic times and CPU times fit into the lower halves of the words. Reading a BigInt takes longer. */
const halfWords = new Uint32Array(timespec);
const seconds = endianness() === 'LE' ? 0 : 1;
const nanoseconds = seconds + 2;
const now = new Float64Array(1);
/** The longest tick, with HZ = 100. */
const slowestTickNs = 10_000_000;
const nanosecondsPerSecond = 1_000_000_000n;

/** The clocks of the machine at one instant, in nanoseconds. */
export interface ClockReading {
  /** CLOCK_MONOTONIC before the other two were read. */
  readonly beforeNs: bigint;
  /** CLOCK_REALTIME: Unix time, which can be set. */
  readonly realtimeNs: bigint;
  /** CLOCK_BOOTTIME: as CLOCK_MONOTONIC, but it continues while the machine sleeps. */
  readonly boottimeNs: bigint;
  /** CLOCK_MONOTONIC after the other two were read. */
  readonly afterNs: bigint;
}

/** Reads the clocks, repeatedly if interrupted: the closer the two monotonic times, the better. */
export function readClocks(): ClockReading {
  let best = readOnce();
  for (let again = 0; again < 4 && spread(best) > 5_000n; again++) {
    const reading = readOnce();
    if (spread(reading) < spread(best)) best = reading;
  }
  return best;
}

/** CLOCK_REALTIME minus CLOCK_MONOTONIC, in nanoseconds: constant until the clock is set. */
export function wallOffsetNs({ beforeNs, realtimeNs, afterNs }: ClockReading): bigint {
  return realtimeNs - (beforeNs + afterNs) / 2n;
}

/**
 * Readings in which CLOCK_REALTIME keeps its distance from CLOCK_MONOTONIC: setting the clock does not show, a
 * suspend does.
 * @param offsetNs the distance, by `wallOffsetNs`
 */
export function createSteadyRead(
  offsetNs: bigint,
  read: () => ClockReading = readClocks,
): () => ClockReading {
  return () => {
    const reading = read();
    return { ...reading, realtimeNs: (reading.beforeNs + reading.afterNs) / 2n + offsetNs };
  };
}

/** CPU time that the calling thread has used, in nanoseconds. */
export function readThreadCpuNs(): number {
  return Number(readClock(threadCpuTime));
}

/**
 * The length of a tick of the kernel (1 / HZ) in nanoseconds: 1, 4 or 10 ms. The coarse clocks advance by it,
 * and their resolution is the only place where the kernel reports it: AT_CLKTCK is always 100.
 */
export function readTickNs(): number {
  return clockGetres(realtimeCoarse, timespecAddress) === 0 ? Number(words[1]) : slowestTickNs;
}

/** An instant of CLOCK_MONOTONIC. Two integers, since they need no heap allocation. */
export interface Instant {
  seconds: number;
  nanoseconds: number;
}

/** Sets `instant` to now. Allocates nothing. */
export function readMonotonic(instant: Instant): void {
  clockGettime(monotonic, timespecAddress);
  instant.seconds = halfWords[seconds];
  instant.nanoseconds = halfWords[nanoseconds];
}

/**
 * Writes the nanoseconds of CLOCK_MONOTONIC since that instant to `into[at]`. Allocates nothing, unlike
 * `process.hrtime` and unlike a function that returns such a number.
 */
export function stampMonotonic(into: Float64Array, at: number, since: Instant): void {
  clockGettime(monotonic, timespecAddress);
  into[at] = (halfWords[seconds] - since.seconds) * 1e9 + halfWords[nanoseconds] - since.nanoseconds;
}

const origin: Instant = { seconds: 0, nanoseconds: 0 };
readMonotonic(origin);
origin.nanoseconds = 0;

/** The second of CLOCK_MONOTONIC that `monotonicSinceOriginNs` counts from: near the start of this thread. */
export const originSecond = origin.seconds;

/**
 * CLOCK_MONOTONIC in nanoseconds after `originSecond`: a whole number, exact for 104 days and to 2 ns for the
 * next 104.
 */
export function monotonicSinceOriginNs(): number {
  stampMonotonic(now, 0, origin);
  return now[0];
}

function readOnce(): ClockReading {
  const beforeNs = readClock(monotonic);
  const realtimeNs = readClock(realtime);
  const boottimeNs = readClock(boottime);
  return { beforeNs, realtimeNs, boottimeNs, afterNs: readClock(monotonic) };
}

function readClock(clock: number): bigint {
  clockGettime(clock, timespecAddress);
  return words[0] * nanosecondsPerSecond + words[1];
}

function spread({ beforeNs, afterNs }: ClockReading): bigint {
  return afterNs - beforeNs;
}

/** CLOCK_BOOTTIME in nanoseconds: the clock in which procfs reports the start of processes. */
export function readBootTimeNs(): bigint {
  return readClock(boottime);
}

/**
 * The CPU clock of any process: the time that all its threads ran, in nanoseconds. For another process that is
 * running it is up to a tick old (1 to 10 ms, `readTickNs`): since Linux 4.8 only the caller's own current
 * slice is included. The error does not accumulate; once the process sleeps or ends, the clock is exact. Any
 * user may read it. Excludes steal and, if the kernel accounts for them, interrupts.
 */
export class CpuClock {
  /** Whole seconds of the last reading. */
  seconds = 0;
  /** The last reading beyond whole seconds. */
  nanoseconds = 0;

  /**
   * Reads the CPU time of a process since its start.
   * @param pid as seen in this process' own pid namespace
   * @returns false if there is no such process
   */
  read(pid: number): boolean {
    // CPUCLOCK_SCHED of a whole process: clock_getcpuclockid(3) without its system call.
    if (clockGettime((~pid << 3) | 2, timespecAddress) !== 0) return false;
    this.seconds = halfWords[seconds];
    this.nanoseconds = halfWords[nanoseconds];
    return true;
  }
}
