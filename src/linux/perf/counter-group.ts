import { keepAddressOf, nameErrno, type KeptAddress } from '../libc.js';
import { closePerfEvent, perfReadFormat, readPerfEvent } from './event.js';

/** The `readFormat` with which every counter of a group must be opened. */
export const groupReadFormat =
  perfReadFormat.group + perfReadFormat.totalTimeEnabled + perfReadFormat.totalTimeRunning;

// What a read returns, in halves of 8-byte numbers: how many values, time enabled, time running, the values.
const enabledWord = 2;
const runningWord = 4;
const headWords = 6;
const high = 2 ** 32;

/**
 * Counters that one call reads together. Counts and times are differences from a base, which is 0, the opening,
 * until `rebase` moves it. They are taken in halves of 32 bits, which is exact wherever a counter stands: rounding
 * comes once, where the difference itself exceeds 2^53. Allocates nothing after its creation.
 */
export class CounterGroup {
  /** The number of counters. */
  readonly width: number;
  /** Why the last read failed: an errno, or what the kernel returned instead of a whole group. Undefined: it did not. */
  error: string | undefined;
  readonly #fds: number[];
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #base: Uint32Array;
  readonly #address: KeptAddress;
  /** The bytes of the last incomplete read, and its description: while it lasts, no text is created. */
  #shortBytes = -1;
  #shortRead = '';

  /**
   * @param fds the leader's first, opened with `groupReadFormat`; closed by `close`
   * @param width the number of counters that a read returns
   */
  constructor(fds: readonly number[], width = fds.length) {
    this.#fds = [...fds];
    this.width = width;
    this.#words = new Uint32Array(headWords + 2 * width);
    this.#base = new Uint32Array(this.#words.length);
    this.#address = keepAddressOf(this.#words.buffer);
  }

  /**
   * Reads all counters at one instant.
   * @returns false when the kernel returned an error, or less than a whole group: the CPU went offline, say, or a
   * pinned event lost its counter. `error` is then the reason, and what was read before is not to be used.
   */
  read(): boolean {
    if (this.#fds.length === 0) return false;
    const size = this.#words.byteLength;
    const count = readPerfEvent(this.#fds[0], this.#address[0], size);
    this.error = undefined;
    if (count < 0) this.error = nameErrno();
    else if (count < size) this.error = this.#describeShort(count, size);
    return count === size;
  }

  /** The time in which the group was meant to count. */
  get enabledNs(): number {
    return this.#growthAt(enabledWord);
  }

  /** The time in which the group did count. */
  get runningNs(): number {
    return this.#growthAt(runningWord);
  }

  /** What a counter has counted. */
  countOf(index: number): number {
    return this.#growthAt(headWords + 2 * index);
  }

  /** Moves the base of everything, times included, to the last reading. */
  rebase(): void {
    this.#base.set(this.#words);
  }

  /** Moves the base of one counter to the last reading. */
  rebaseCounter(index: number): void {
    const word = headWords + 2 * index;
    this.#base[word] = this.#words[word];
    this.#base[word + 1] = this.#words[word + 1];
  }

  /** Safe to call twice: the number of a closed descriptor may be another file's by then. */
  close(): void {
    this.#fds.splice(0).forEach(closePerfEvent);
  }

  #describeShort(bytes: number, size: number): string {
    if (bytes !== this.#shortBytes) this.#shortRead = describeShort(bytes, size);
    this.#shortBytes = bytes;
    return this.#shortRead;
  }

  #growthAt(word: number): number {
    return (this.#words[word + 1] - this.#base[word + 1]) * high + (this.#words[word] - this.#base[word]);
  }
}

/**
 * perf_event_read in kernel/events/core.c: an event in error state reads as the end of a file until it is opened again.
 * When a CPU goes offline, its groups are dissolved, and the leader reads as a group of one.
 */
function describeShort(bytes: number, size: number): string {
  const cause =
    bytes === 0
      ? 'as for a pinned event that has lost its counter to another program'
      : 'as for a group on a CPU that went offline';
  return `expected ${size} bytes, found ${bytes}, ${cause}`;
}
