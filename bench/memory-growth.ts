import { theilSenSlope } from './theil-sen.js';

/** Longer than from one full collection of an agent to the next, of which there are two a minute. */
const stretchSeconds = 60;

/**
 * How much memory grows, per second: the slope of the least of each minute, which is what full collections leave.
 * Between two of them memory rises by some MiB in any case, and where in this rise a soak begins and ends would
 * decide about a slope through everything. A leak shows all the same, since no collection takes it away.
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
