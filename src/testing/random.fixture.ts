/** A generator of numbers that look random and are the same for the same seed (mulberry32), for tests. */
export interface Random {
  /** 0 to below 1. */
  fraction(): number;
  /** A whole number from 0 to below a limit. */
  whole(limit: number): number;
  /** Whether something happens that happens in a part of the cases, 0 to 1. */
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
