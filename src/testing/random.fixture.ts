/** A deterministic pseudo-random number generator (mulberry32), for tests. */
export interface Random {
  /** From 0 up to, but not including, 1. */
  fraction(): number;
  /** A whole number from 0 up to, but not including, a limit. */
  whole(limit: number): number;
  /** True with this probability, 0 to 1. */
  chance(part: number): boolean;
  /** One of some items, at least one. */
  pick<T>(items: readonly T[]): T;
}

export function createRandom(seed: number): Random {
  let state = seed;
  const fraction = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (limit: number) => Math.floor(fraction() * limit);
  return {
    fraction,
    whole,
    chance: (part) => fraction() < part,
    pick: (items) => items[whole(items.length)],
  };
}
