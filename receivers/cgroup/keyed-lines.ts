import { Counts } from '../../src/scraping/counts.js';

const newline = 0x0a;

/**
 * Finds numbers in lines `key number`, such as those of `cpu.stat` and `memory.stat`, without creating strings.
 * The kernel always writes the keys of a file in the same order, so the next key is tried first.
 */
export class KeyedLines {
  /** The numbers, in the order of the keys. Keys that were not found keep their previous number. */
  readonly counts: Counts;
  readonly #keys: readonly Uint8Array[];
  readonly #isFound: Uint8Array;

  constructor(keys: readonly string[]) {
    this.#keys = keys.map((key) => Buffer.from(`${key} `));
    this.#isFound = new Uint8Array(keys.length);
    this.counts = new Counts(keys.length);
  }

  /** Parses the lines of a file. @returns the number of keys found */
  parse(text: Uint8Array, length: number): number {
    this.#isFound.fill(0);
    const wanted = this.#keys.length;
    let count = 0;
    let next = 0;
    for (let at = 0; at < length && count < wanted; at = nextLine(text, at, length)) {
      const index = this.#find(text, at, next);
      if (index < 0 || this.counts.parseOne(index, text, at + this.#keys[index].length) < 0) continue;
      this.#isFound[index] = 1;
      count++;
      next = (index + 1) % wanted;
    }
    return count;
  }

  /** Whether the last parsed text had a key. */
  has(index: number): boolean {
    return this.#isFound[index] === 1;
  }

  #find(text: Uint8Array, at: number, first: number): number {
    const wanted = this.#keys.length;
    for (let i = 0, index = first; i < wanted; i++) {
      if (hasKeyAt(text, at, this.#keys[index])) return index;
      index = index + 1 === wanted ? 0 : index + 1;
    }
    return -1;
  }
}

/** Whether a text has a key at an index. */
export function hasKeyAt(text: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let i = 0; i < key.length; i++) if (text[at + i] !== key[i]) return false;
  return true;
}

function nextLine(text: Uint8Array, from: number, length: number): number {
  let at = from;
  while (at < length && text[at] !== newline) at++;
  return at + 1;
}

/**
 * Parses a file that consists of one number.
 * @returns Infinity for `max`: no limit; NaN for anything else
 */
export function parseSingle(text: Uint8Array, length: number, counts: Counts): number {
  if (counts.parseOne(0, text, 0) > 0) return counts.read(0);
  return length > 3 && text[0] === 0x6d && text[1] === 0x61 && text[2] === 0x78 ? Infinity : NaN;
}
