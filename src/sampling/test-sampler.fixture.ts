import { UnavailableError } from '../errors.js';
import type { Sampler } from '../component/sampling.js';

/** Words of the memory that a test shares with its sampler. */
export const word = { mode: 0, opened: 1, closed: 2, reads: 3 } as const;

/** What the sampler is to do next. The one-off ones are done once. */
export const mode = {
  normal: 0,
  failRead: 1,
  failOpen: 2,
  newGeneration: 3,
  newColumn: 4,
  hang: 5,
  block: 6,
  crash: 7,
} as const;

/** Memory to hand to `openSampler` as its options. */
export function createTestControl(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(16));
}

/** A sampler for tests: the first column counts the readings of its generation, further ones are 1, 2, ... */
export function openSampler(options: unknown): Sampler {
  // The test passes what createTestControl made.
  return new TestSampler(options as Int32Array<SharedArrayBuffer>);
}

class TestSampler implements Sampler {
  generation = 0;
  width = 1;
  readonly #control: Int32Array<SharedArrayBuffer>;
  #count = 0;

  constructor(control: Int32Array<SharedArrayBuffer>) {
    if (control[word.mode] === mode.failOpen)
      throw new UnavailableError('Cannot open the test sampler: no fuel');
    Atomics.add(control, word.opened, 1);
    this.#control = control;
  }

  get columns(): readonly string[] {
    return Array.from({ length: this.width }, (_, column) => `g${this.generation}c${column}`);
  }

  read(values: Float64Array, at: number): void {
    const control = this.#control;
    if (control[word.mode] === mode.failRead) throw new Error('Cannot read the test sampler: no fuel');
    // Asleep, since a busy thread with real-time scheduling would stop the test, too.
    while (control[word.mode] === mode.hang) Atomics.wait(control, word.mode, mode.hang, 1);
    if (this.#takeMode(mode.newGeneration)) this.#begin();
    if (this.#takeMode(mode.crash)) process.exit(3);
    if (this.#takeMode(mode.block)) Atomics.wait(control, word.mode, mode.normal, 35);
    for (let column = 1; column < this.width; column++) values[at + column] = column;
    values[at] = this.#count++;
    Atomics.add(control, word.reads, 1);
  }

  maintain(): void {
    if (!this.#takeMode(mode.newColumn)) return;
    this.#begin();
    this.width++;
  }

  close(): void {
    Atomics.add(this.#control, word.closed, 1);
  }

  #begin(): void {
    this.generation++;
    this.#count = 0;
  }

  #takeMode(wanted: number): boolean {
    return Atomics.compareExchange(this.#control, word.mode, wanted, mode.normal) === wanted;
  }
}
