import { elementAt } from '../element.js';

/** Hashes numbers to 32 pseudo-random bits, deterministically. After MurmurHash3's finalizer. */
export function hash(...numbers: readonly number[]): number {
  let state = 0x9e37_79b9;
  for (const number of numbers) {
    // A time in microseconds has more than 32 bits.
    state = mix(state ^ (number >>> 0));
    state = mix(state + Math.floor(number / 2 ** 32));
  }
  return state >>> 0;
}

function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return Math.imul(bits ^ (bits >>> 16), 0x27d4_eb2f) + 0x1656_67b1;
}

/** A sequence of numbers that depends only on the seed, not on the machine or the version of Node. */
export class Random {
  readonly #seed: number;
  readonly #stream: number;
  #count = 0;

  /** @param stream distinguishes sequences of the same seed */
  constructor(seed: number, stream: number) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** A whole number from `least` to `most`, inclusive. */
  integer(least: number, most: number): number {
    return least + (hash(this.#seed, this.#stream, this.#count++) % (most - least + 1));
  }

  /** One of these. */
  choose<Item>(items: readonly Item[]): Item {
    return elementAt(items, this.integer(0, items.length - 1));
  }
}
