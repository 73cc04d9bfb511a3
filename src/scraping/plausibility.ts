import type { Log } from '../component/log.js';

/** PID_MAX_LIMIT of include/linux/threads.h: no kernel has more threads. */
export const maxThreads = 2 ** 22;

/** 8 PiB, beyond which a double does not hold every byte: more than any machine has. */
export const maxBytes = Number.MAX_SAFE_INTEGER;

/** 292 years, the nanoseconds that the kernel's signed 64 bits hold: no clock of it shows more. */
export const maxSeconds = 2 ** 63 / 1e9;

/**
 * A figure of the kernel, unless it is impossible: below 0, or above what it is a part of. An unsigned number that
 * fell below 0 is close to 2^64.
 * @returns NaN, which is a gap, when it is impossible
 */
export function bounded(value: number, max: number): number {
  return value >= 0 && value <= max ? value : Number.NaN;
}

/** Leaves impossible figures out and names each of them once. */
export class Plausibility {
  readonly #log: Log;
  readonly #reported = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * @param what the figure and its file, for people
   * @returns the figure, NaN when it is below 0 or above `max`
   */
  check(what: string, value: number, max: number): number {
    const checked = bounded(value, max);
    if (Number.isNaN(checked)) this.#report(what, value, max);
    return checked;
  }

  #report(what: string, value: number, max: number): void {
    if (this.#reported.has(what)) return;
    this.#reported.add(what);
    this.#log.warn(
      `Cannot use ${what}: expected 0 to ${max}, found ${value}; it is left out while it is impossible`,
    );
  }
}
