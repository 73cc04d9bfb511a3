import { readFile } from 'node:fs/promises';
import { findErrorCode } from '../errors.js';
import type { KeptFile } from '../linux/kept-file.js';
import { waitBriefly } from './wait-briefly.js';

/** How a file is found to be slow. */
export interface FileTiming {
  /** The time of a reading from which on a file is read on a thread of Node's pool: nothing holds the main thread up. */
  readonly slowMs: number;
  /** How long a file may take there; it has a gap after that. */
  readonly answerMs: number;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

const defaultTiming: FileTiming = { slowMs: 2, answerMs: 1000, nowMs: () => performance.now() };
/** A busy machine makes any file look slow: after this many quick readings in a row, it is read on the main thread again. */
const quickReadings = 4;

interface SlowFile {
  /** Undefined: it has not been answered yet. */
  answer: Buffer | Error | undefined;
  isPending: boolean;
  /** Whether it was asked for since it was last read ahead: a file that is gone is not. */
  isWanted: boolean;
  quick: number;
}

/** Reads files whose drivers ask a device, which may take long: those that did are read ahead on Node's pool. */
export class SlowFiles {
  readonly #timing: FileTiming;
  readonly #slow = new Map<string, SlowFile>();

  constructor(timing: Partial<FileTiming> = {}) {
    this.#timing = { ...defaultTiming, ...timing };
  }

  /** Reads those that are slow, before `read` is asked for them; undefined: none is. */
  prepare(): Promise<void> | undefined {
    for (const [path, { isWanted }] of this.#slow) if (!isWanted) this.#slow.delete(path);
    if (this.#slow.size === 0) return undefined;
    const idle = [...this.#slow].filter(([, { isPending }]) => !isPending);
    return waitBriefly(
      idle.map(([path, file]) => this.#readAhead(path, file)),
      this.#timing.answerMs,
    );
  }

  /**
   * What a file holds.
   * @throws Error when it cannot be read, or has not answered in time
   */
  read(file: KeptFile): Buffer {
    const slow = this.#slow.get(file.path);
    if (slow !== undefined) return this.#take(file.path, slow);
    const beganMs = this.#timing.nowMs();
    const bytes = file.read();
    if (this.#isSlow(beganMs))
      this.#slow.set(file.path, { answer: undefined, isPending: false, isWanted: true, quick: 0 });
    return bytes;
  }

  #take(path: string, slow: SlowFile): Buffer {
    const { answer } = slow;
    slow.answer = undefined;
    slow.isWanted = true;
    if (slow.quick >= quickReadings) this.#slow.delete(path);
    if (answer === undefined)
      throw new Error(
        `Cannot read ${path}: expected an answer within ${this.#timing.answerMs} ms, found none`,
      );
    if (answer instanceof Error) throw answer;
    if (answer.length > 0) return answer;
    throw new Error(`Cannot read ${path}: expected text, found none`);
  }

  async #readAhead(path: string, file: SlowFile): Promise<void> {
    const beganMs = this.#timing.nowMs();
    file.isPending = true;
    file.isWanted = false;
    file.answer = undefined;
    const answer = await readFile(path).catch((error: unknown) => createFailure(path, error));
    file.isPending = false;
    const tookMs = this.#timing.nowMs() - beganMs;
    file.quick = this.#isSlow(beganMs) ? 0 : file.quick + 1;
    // What comes later is of an earlier instant than that of the row.
    if (tookMs <= this.#timing.answerMs) file.answer = answer;
  }

  #isSlow(beganMs: number): boolean {
    return this.#timing.nowMs() - beganMs > this.#timing.slowMs;
  }
}

function createFailure(path: string, error: unknown): Error {
  return new Error(`Cannot read ${path}: ${findErrorCode(error) ?? String(error)}`, { cause: error });
}
