import type { Clock } from '../linux/clock.js';

/** A longer comparison of clocks was interrupted. */
const exactNs = 20_000n;
const maxAttempts = 4;

/**
 * Converts instants of CLOCK_MONOTONIC taken in another thread to Unix time, in nanoseconds: the kernel's clock
 * is the same in every thread, while this collector uses the clock of its context. Valid for one reading, since
 * the wall clock is adjusted.
 */
export function createWallTime(clock: Clock): (monotonicNs: bigint) => bigint {
  let [offsetNs, spreadNs] = compareClocks(clock);
  for (let attempt = 1; attempt < maxAttempts && spreadNs > exactNs; attempt++)
    [offsetNs, spreadNs] = compareClocks(clock);
  return (monotonicNs) => monotonicNs + offsetNs;
}

/** @returns by how much this collector's clock is ahead of the kernel's, and how long the comparison took */
function compareClocks(clock: Clock): readonly [offsetNs: bigint, spreadNs: bigint] {
  const beforeNs = process.hrtime.bigint();
  const wallNs = clock.wallNs();
  const spreadNs = process.hrtime.bigint() - beforeNs;
  return [wallNs - beforeNs - spreadNs / 2n, spreadNs];
}
