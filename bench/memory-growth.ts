import { theilSenSlope } from './theil-sen.js';

/** Longer than the time between two full collections of an agent, of which there are two a minute. */
const stretchSeconds = 60;

/**
 * Growth of memory per second: the slope of the minimum of each minute, which is what full collections leave.
 * Between two collections memory rises by some MiB in any case, and the phase of this rise at which a soak
 * begins and ends would determine a slope through all values. A leak is still visible, since no collection
 * removes it.
 * @param memory one value a second
 */
export function findMemoryGrowth(memory: readonly number[]): number {
  const floors: number[] = [];
  for (let at = 0; at + stretchSeconds <= memory.length; at += stretchSeconds) {
    floors.push(Math.min(...memory.slice(at, at + stretchSeconds)));
  }
  return (
    theilSenSlope(
      floors.map((_, index) => index),
      floors,
    ) / stretchSeconds
  );
}
