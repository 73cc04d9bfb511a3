import { addressOf } from '../../src/linux/memory.js';
import { closePerfEvent, perfReadFormat, readPerfEventAt } from '../../src/linux/perf/event.js';

/** How the counters of a group must be opened. */
export const groupReadFormat =
  perfReadFormat.group + perfReadFormat.totalTimeEnabled + perfReadFormat.totalTimeRunning;

// What a read gives, in halves of 8-byte numbers: how many values, time enabled, time running, the values.
const enabledWord = 2;
const runningWord = 4;
const headWords = 6;
const high = 2 ** 32;

/** Counters that one call reads together, and what they grew by since the last one. */
export class CountGroup {
  /** By how much each counter grew. Filled by `read`. */
  readonly growth: Float64Array;
  readonly #times = new Float64Array(2);
  readonly #fds: number[];
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #last: Uint32Array;
  readonly #address: number;
  #isBegun: boolean;

  /**
   * @param fds the leader's first
   * @param isBegun what was counted before the first reading counts, too
   */
  constructor(fds: readonly number[], isBegun: boolean) {
    this.#fds = [...fds];
    this.#isBegun = isBegun;
    this.growth = new Float64Array(fds.length);
    this.#words = new Uint32Array(headWords + 2 * fds.length);
    this.#last = new Uint32Array(this.#words.length);
    this.#address = addressOf(this.#words.buffer);
  }

  /** By how much the time grew in which the group was meant to count. */
  get enabledNs(): number {
    return this.#times[0];
  }

  /** By how much the time grew in which the group did count. */
  get runningNs(): number {
    return this.#times[1];
  }

  /** Asks the kernel. What it cannot say, because the CPU went offline, grew by nothing. */
  read(): void {
    const wanted = this.#words.byteLength;
    const isRead = readPerfEventAt(this.#fds[0], this.#address, wanted) === wanted;
    if (!isRead || !this.#isBegun) {
      if (isRead) this.#begin();
      this.#times.fill(0);
      this.growth.fill(0);
      return;
    }
    this.#times[0] = this.#growthAt(enabledWord);
    this.#times[1] = this.#growthAt(runningWord);
    for (let i = 0; i < this.growth.length; i++) this.growth[i] = this.#growthAt(headWords + 2 * i);
    this.#last.set(this.#words);
  }

  /** Safe to call twice: a descriptor's number may be another file's by then. */
  close(): void {
    this.#fds.splice(0).forEach(closePerfEvent);
  }

  #begin(): void {
    this.#isBegun = true;
    this.#last.set(this.#words);
  }

  /** The difference is taken in halves, which is exact, wherever the counter stands. */
  #growthAt(word: number): number {
    return (this.#words[word + 1] - this.#last[word + 1]) * high + this.#words[word] - this.#last[word];
  }
}
