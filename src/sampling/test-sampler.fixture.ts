import type { Sampler } from '../component/sampling.js';
import { UnavailableError } from '../errors.js';

/** Words of the memory that a test shares with its sampler. */
export const word = { mode: 0, opened: 1, closed: 2, reads: 3 } as const;

/** What the sampler does next. One-off modes apply once. */
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

/** Memory to pass to `openSampler` as its options. */
export function createTestControl(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(16));
}

/** Options of a sampler that has several columns from the start, or no longer has its first one. */
export interface TestOptions {
  readonly control: Int32Array<SharedArrayBuffer>;
  /** Numbers of the columns; 0 counts readings. */
  readonly columnIds: readonly number[];
}

/**
 * A sampler for tests: column 0 counts the readings of its generation, further ones are 1, 2, ...
 * @param options TestOptions, or only the control: then there is column 0, and columns have no numbers
 */
export function openSampler(options: unknown): Sampler {
  // The test passes one of these.
  return new TestSampler(options as Int32Array<SharedArrayBuffer> | TestOptions);
}

class TestSampler implements Sampler {
  generation = 0;
  width = 1;
  columnIds: readonly number[] | undefined;
  readonly #control: Int32Array<SharedArrayBuffer>;
  #count = 0;

  constructor(options: Int32Array<SharedArrayBuffer> | TestOptions) {
    const control = options instanceof Int32Array ? options : options.control;
    if (!(options instanceof Int32Array)) this.#setColumns(options);
    if (control[word.mode] === mode.failOpen)
      throw new UnavailableError('Cannot open the test sampler: no fuel');
    Atomics.add(control, word.opened, 1);
    this.#control = control;
  }

  get columns(): readonly string[] {
    if (this.columnIds !== undefined) return this.columnIds.map((id) => `c${id}`);
    return Array.from({ length: this.width }, (_, column) => `g${this.generation}c${column}`);
  }

  read(values: Float64Array, at: number): void {
    const control = this.#control;
    if (control[word.mode] === mode.failRead) throw new Error('Cannot read the test sampler: no fuel');
    // It sleeps, because a busy thread with real-time scheduling would stop the test, too.
    while (control[word.mode] === mode.hang) Atomics.wait(control, word.mode, mode.hang, 1);
    if (this.#takeMode(mode.newGeneration)) this.#begin();
    if (this.#takeMode(mode.crash)) process.exit(3);
    if (this.#takeMode(mode.block)) Atomics.wait(control, word.mode, mode.normal, 35);
    for (let column = 0; column < this.width; column++)
      values[at + column] = this.columnIds?.[column] ?? column;
    if ((this.columnIds?.[0] ?? 0) === 0) values[at] = this.#count;
    this.#count++;
    Atomics.add(control, word.reads, 1);
  }

  update(options: unknown): void {
    // The test passes these.
    this.#setColumns(options as TestOptions);
    this.generation++;
  }

  maintain(): void {
    if (!this.#takeMode(mode.newColumn)) return;
    this.#begin();
    this.width++;
  }

  close(): void {
    Atomics.add(this.#control, word.closed, 1);
  }

  #setColumns({ columnIds }: TestOptions): void {
    this.columnIds = columnIds;
    this.width = columnIds.length;
  }

  #begin(): void {
    this.generation++;
    this.#count = 0;
  }

  #takeMode(wanted: number): boolean {
    return Atomics.compareExchange(this.#control, word.mode, wanted, mode.normal) === wanted;
  }
}
