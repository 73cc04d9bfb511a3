import { monotonicSinceOriginNs, originSecond } from './clocks.js';
import { keepAddressOf, libc, type KeptAddress } from './libc.js';
import { findSyscallNumber } from './syscall-numbers.js';

// Numbers: include/uapi/linux/futex.h.
const futexNumber = findSyscallNumber('futex');
const privateFlag = 128;
const futexWake = 1 | privateFlag;
/** Unlike FUTEX_WAIT it takes an absolute time, of CLOCK_MONOTONIC. */
const futexWaitBitset = 9 | privateFlag;
const anyBit = -1;

const futex = libc.func(
  'long syscall(long number, uintptr_t word, int op, int value, uintptr_t deadline, uintptr_t word2, int value3)',
) as (
  ...args: [
    number: number,
    word: number,
    op: number,
    value: number,
    deadline: number,
    word2: number,
    value3: number,
  ]
) => number;

const clockNanosleep = libc.func(
  'int clock_nanosleep(int clock, int flags, uintptr_t deadline, uintptr_t rest)',
) as (clock: number, flags: number, deadline: number, rest: number) => number;
const clockMonotonic = 1;
const timerAbstime = 1;

/** A rest that may as well be slept to its end: clock_nanosleep costs 0.5 us less than a futex. */
const briefNs = 2_000_000;
/**
 * The last stretch is slept in the kernel, to the nanosecond, at half the cost of Atomics.wait, but a thread
 * that is to be terminated must not stay there for long.
 */
const lastStretchNs = 50_000_000;

/** When a sleep is to end, and an instant before it began. */
interface Due {
  readonly deadlineNs: number;
  readonly lastNs: number;
}

/** A number in shared memory that one thread counts up to end the sleep of another. */
export class WakeSignal {
  readonly #word: Int32Array<SharedArrayBuffer>;
  readonly #wordAddress: KeptAddress;
  readonly #timespecWords = new Uint32Array(new ArrayBuffer(16));
  readonly #timespecAddress = keepAddressOf(this.#timespecWords.buffer);

  /** @param memory 4 bytes that both threads hold */
  constructor(memory: SharedArrayBuffer) {
    this.#word = new Int32Array(memory, 0, 1);
    this.#wordAddress = keepAddressOf(memory);
  }

  /** How often it was raised. */
  get count(): number {
    return Atomics.load(this.#word, 0);
  }

  /** Whether it was raised since the count was `known`, as far as this thread sees: it may be noticed a call later. */
  isRaised(known: number): boolean {
    // V8 calls a function for `Atomics.load`, which takes 0.3 us at each tick.
    return this.#word[0] !== known;
  }

  /** Ends the sleep of the other thread, or its next one if it has not begun. */
  raise(): void {
    Atomics.add(this.#word, 0, 1);
    Atomics.notify(this.#word, 0);
    if (futexNumber !== undefined) futex(futexNumber, this.#wordAddress[0], futexWake, 1, 0, 0, 0);
  }

  /** Sleeps while the count is `known`. */
  wait(known: number): void {
    Atomics.wait(this.#word, 0, known);
  }

  /**
   * Sleeps until `due.deadlineNs` while the count is `known`, though a rest of up to 2 ms takes no notice of the
   * count. A Unix signal may end the sleep early.
   * @param due nanoseconds after `originSecond`; `lastNs` is some instant in the past, the later the better
   */
  waitUntil(due: Due, known: number): void {
    const restNs = due.deadlineNs - due.lastNs;
    if (restNs > lastStretchNs || futexNumber === undefined) this.#waitLong(due, known);
    const seconds = Math.floor(due.deadlineNs / 1e9);
    this.#timespecWords[0] = originSecond + seconds;
    this.#timespecWords[2] = due.deadlineNs - seconds * 1e9;
    if (restNs <= briefNs || futexNumber === undefined) {
      clockNanosleep(clockMonotonic, timerAbstime, this.#timespecAddress[0], 0);
    } else
      futex(futexNumber, this.#wordAddress[0], futexWaitBitset, known, this.#timespecAddress[0], 0, anyBit);
  }

  #waitLong({ deadlineNs }: Due, known: number): void {
    const stretchNs = futexNumber === undefined ? briefNs : lastStretchNs;
    const waitNs = deadlineNs - monotonicSinceOriginNs() - stretchNs / 2;
    if (waitNs > 0) Atomics.wait(this.#word, 0, known, waitNs / 1e6);
  }
}
