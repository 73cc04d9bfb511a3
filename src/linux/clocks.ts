import { libc } from './libc.js';

// Clock numbers: include/uapi/linux/time.h.
const realtime = 0;
const monotonic = 1;
const threadCpuTime = 3;
const boottime = 7;

const clockGettime = libc.func('int clock_gettime(int clock, void *time)') as (
  clock: number,
  time: ArrayBuffer,
) => number;

const timespec = new ArrayBuffer(16);
const words = new BigInt64Array(timespec);
/** The lower halves of the words are all that a monotonic time has, on the machines that Node runs on. */
const halfWords = new Uint32Array(timespec);
const now = new Float64Array(1);
const nanosecondsPerSecond = 1_000_000_000n;

/** The clocks of the machine at one instant, in nanoseconds. */
export interface ClockReading {
  /** CLOCK_MONOTONIC before the other two were read. */
  readonly beforeNs: bigint;
  /** CLOCK_REALTIME: Unix time, which can be set. */
  readonly realtimeNs: bigint;
  /** CLOCK_BOOTTIME: as CLOCK_MONOTONIC, but it goes on while the machine sleeps. */
  readonly boottimeNs: bigint;
  /** CLOCK_MONOTONIC after the other two were read. */
  readonly afterNs: bigint;
}

/** Reads the clocks, again when something came between: the closer the two monotonic times, the better. */
export function readClocks(): ClockReading {
  let best = readOnce();
  for (let again = 0; again < 4 && spread(best) > 5_000n; again++) {
    const reading = readOnce();
    if (spread(reading) < spread(best)) best = reading;
  }
  return best;
}

/** CPU time that the calling thread has used, in nanoseconds. */
export function readThreadCpuNs(): number {
  return Number(readClock(threadCpuTime));
}

const originSeconds = Number(readClock(monotonic) / nanosecondsPerSecond);

/** CLOCK_MONOTONIC at which `monotonicSinceOriginNs` counts from 0: near the start of this thread. */
export const monotonicOriginNs = BigInt(originSeconds) * nanosecondsPerSecond;

/**
 * Writes CLOCK_MONOTONIC to `into[at]`: nanoseconds after `monotonicOriginNs`, a whole number that is exact for
 * 104 days and to 2 ns for the next 104. Allocates nothing, unlike `process.hrtime` and unlike a function that
 * returns such a number.
 */
export function stampMonotonic(into: Float64Array, at: number): void {
  clockGettime(monotonic, timespec);
  into[at] = (halfWords[0] - originSeconds) * 1e9 + halfWords[2];
}

/** CLOCK_MONOTONIC now, as `stampMonotonic` writes it. */
export function monotonicSinceOriginNs(): number {
  stampMonotonic(now, 0);
  return now[0];
}

function readOnce(): ClockReading {
  const beforeNs = readClock(monotonic);
  const realtimeNs = readClock(realtime);
  const boottimeNs = readClock(boottime);
  return { beforeNs, realtimeNs, boottimeNs, afterNs: readClock(monotonic) };
}

function readClock(clock: number): bigint {
  clockGettime(clock, timespec);
  return words[0] * nanosecondsPerSecond + words[1];
}

function spread({ beforeNs, afterNs }: ClockReading): bigint {
  return afterNs - beforeNs;
}
