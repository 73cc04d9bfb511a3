import type { Clock } from '../linux/clock.js';

/** When clocks are compared, more means that something came between. */
const exactNs = 20_000n;
const maxAttempts = 4;

/**
 * Unix time of instants that another thread has taken by CLOCK_MONOTONIC, in nanoseconds: the kernel's clock is the same in
 * every thread; this collector's is that of its context. Made for one reading, since the wall clock is corrected.
 */
export function createWallTime(clock: Clock): (monotonicNs: bigint) => bigint {
  let [offsetNs, spreadNs] = compareClocks(clock);
  for (let attempt = 1; attempt < maxAttempts && spreadNs > exactNs; attempt++)
    [offsetNs, spreadNs] = compareClocks(clock);
  return (monotonicNs) => monotonicNs + offsetNs;
}

/** @returns how far this collector's clock is ahead of the kernel's, and how long it took to find out */
function compareClocks(clock: Clock): readonly [offsetNs: bigint, spreadNs: bigint] {
  const beforeNs = process.hrtime.bigint();
  const wallNs = clock.wallNs();
  const spreadNs = process.hrtime.bigint() - beforeNs;
  return [wallNs - beforeNs - spreadNs / 2n, spreadNs];
}
