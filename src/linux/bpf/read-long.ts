/** A 64-bit number from two words of a record that the kernel wrote, rounded beyond 2^53. */
export function readLong(words: Uint32Array, at: number): number {
  return words[at] + words[at + 1] * 2 ** 32;
}
