import { readFile } from 'node:fs/promises';
import { findErrorCode } from '../errors.js';
import type { KeptFile } from '../linux/kept-file.js';
import { PoolShare } from './pool-share.js';
import { waitBriefly } from './wait-briefly.js';

/** The limits that define a slow file. */
export interface FileTiming {
  /** Reading time from which a file is read on a thread of Node's pool, so that it does not block the main thread. */
  readonly slowMs: number;
  /** Maximum time for reading a file there; after that it has a gap. */
  readonly answerMs: number;
  /** A monotonic clock. */
  readonly nowMs: () => number;
}

const defaultTiming: FileTiming = { slowMs: 2, answerMs: 1000, nowMs: () => performance.now() };
/**
 * On a busy machine any file may seem slow: after this many quick readings in a row, it is read on the main
 * thread again.
 */
const quickReadings = 4;

interface SlowFile {
  /** Undefined: the reading is not done yet. */
  answer: Buffer | Error | undefined;
  isPending: boolean;
  /** Whether it was requested since it was last read ahead; a removed file is not. */
  isWanted: boolean;
  quick: number;
}

/**
 * Reads files whose drivers query a device, which may take long: those that were slow are read ahead on Node's
 * pool.
 */
export class SlowFiles {
  readonly #timing: FileTiming;
  readonly #pool = new PoolShare();
  readonly #slow = new Map<string, SlowFile>();

  constructor(timing: Partial<FileTiming> = {}) {
    this.#timing = { ...defaultTiming, ...timing };
  }

  /** Reads slow files before they are requested by `read`; undefined: there are none. */
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
   * The content of a file.
   * @throws Error when it cannot be read, or not in time
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
    const answer = await this.#pool
      .run(() => readFile(path))
      .catch((error: unknown) => createFailure(path, error));
    file.isPending = false;
    const tookMs = this.#timing.nowMs() - beganMs;
    file.quick = this.#isSlow(beganMs) ? 0 : file.quick + 1;
    // A later answer would belong to an earlier instant than the row.
    if (tookMs <= this.#timing.answerMs) file.answer = answer;
  }

  #isSlow(beganMs: number): boolean {
    return this.#timing.nowMs() - beganMs > this.#timing.slowMs;
  }
}

function createFailure(path: string, error: unknown): Error {
  return new Error(`Cannot read ${path}: ${findErrorCode(error) ?? String(error)}`, { cause: error });
}
