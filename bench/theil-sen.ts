import { median } from './benchmark.js';

/** The median of the slopes between every two points: what single jumps, say of garbage collection, do not move. */
export function theilSenSlope(xs: readonly number[], ys: readonly number[]): number {
  const slopes: number[] = [];
  for (let i = 0; i < xs.length; i++) {
    for (let j = i + 1; j < xs.length; j++) slopes.push((ys[j] - ys[i]) / (xs[j] - xs[i]));
  }
  return median(slopes);
}
