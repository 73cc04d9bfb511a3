/** The middle of some numbers, or the mean of the two middle ones; at least one is wanted. */
export function median(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).toSorted();
  const middle = sorted.length / 2;
  return Number.isInteger(middle) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[Math.floor(middle)];
}
