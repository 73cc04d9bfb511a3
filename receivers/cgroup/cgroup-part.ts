import type { Clock } from '../../src/linux/clock.js';
import { slotBytes, type ReadBatch } from '../../src/linux/read-batch.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import type { FileReader, Outcome } from './file-reader.js';
import type { TrackedCgroup } from './tracked-cgroup.js';
import type { UnifiedUsage } from './unified-usage.js';

/** Reading this many is less than 1 ms of work, and at most 5 ms where all are new. */
export const partCapacity = 32;

/** What parts need beside their cgroups. */
export interface PartOptions {
  readonly clock: Clock;
  /** Reads files together, at most as many as a part has cgroups; undefined: each is read alone. */
  readonly batch: ReadBatch | undefined;
  /** Where the CPU time of all cgroups of version 2 is read in one call. */
  readonly usage: UnifiedUsage | undefined;
  onFailure(reader: FileReader): void;
}

/** Some of the cgroups, read together into one row, so that others may run between the parts of a scan. */
export class CgroupPart {
  readonly #cgroups = new Set<TrackedCgroup>();
  readonly #cpu: ReaderRow;
  readonly #details: ReaderRow;

  constructor(options: PartOptions) {
    this.#cpu = new ReaderRow(options);
    this.#details = new ReaderRow(options);
  }

  get size(): number {
    return this.#cgroups.size;
  }

  add(cgroup: TrackedCgroup): void {
    this.#cgroups.add(cgroup);
    this.change();
  }

  remove(cgroup: TrackedCgroup): void {
    this.#cgroups.delete(cgroup);
    this.change();
  }

  /** Gives all its cgroups to other parts. */
  release(): readonly TrackedCgroup[] {
    const cgroups = [...this.#cgroups];
    this.#cgroups.clear();
    return cgroups;
  }

  /** Some of its cgroups have other files than before. */
  change(): void {
    this.#cpu.forget();
    this.#details.forget();
  }

  /** Reads CPU time. @returns nothing when there is none */
  readCpu(): Table | undefined {
    const steps = this.#cpu.read(() => [...this.#cgroups].flatMap((cgroup) => cgroup.cpuReaders));
    // There are no more than are read in one step.
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** Reads everything else, a step for 32 files. */
  readDetails(): Generator<undefined, Table | undefined> {
    return this.#details.read(() => [...this.#cgroups].flatMap((cgroup) => cgroup.detailReaders));
  }
}

/** Files whose values are one row. What has not changed since the row before is copied with it. */
class ReaderRow {
  readonly #options: PartOptions;
  #readers: readonly FileReader[] | undefined;
  /** Where the values of each reader begin in a row. */
  #places: readonly number[] = [];
  #series: readonly Series[] = [];
  #lastRow: Float64Array = new Float64Array(0);
  readonly #read: number[] = [];
  /** Where the batch has what it read for a reader; -1: it did not. */
  readonly #slots = new Int32Array(partCapacity);
  /** What came of readers that the pass over all cgroups has; undefined: their files are to be read. */
  readonly #outcomes: (Outcome | undefined)[] = [];
  /** Whether a file was read, rather than nothing but the pass. */
  #hasFiles = false;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  /** Asks for the readers again before the next reading. */
  forget(): void {
    this.#readers = undefined;
  }

  /** @returns one row, with the middle of the reading as its instant, and the series that have ended */
  *read(listReaders: () => readonly FileReader[]): Generator<undefined, Table | undefined> {
    const { clock, usage } = this.#options;
    let isChanged = this.#readers === undefined;
    const readers = (this.#readers ??= listReaders());
    const ended: Series[] = [];
    const fromNs = clock.wallNs();
    this.#hasFiles = false;
    this.#read.length = 0;
    for (let from = 0; from < readers.length; from += partCapacity) {
      if (from > 0) yield;
      const to = Math.min(readers.length, from + partCapacity);
      this.#takeCounted(readers, from);
      this.#readTogether(readers, from, to);
      for (let i = from; i < to; i++) {
        const outcome = this.#outcomes[i - from] ?? this.#take(readers[i], i - from, fromNs);
        if (outcome === 'same') continue;
        this.#read.push(i);
        if (this.#noteOutcome(readers[i], outcome, ended)) isChanged = true;
      }
    }
    const rowNs = this.#hasFiles ? fromNs + (clock.wallNs() - fromNs) / 2n : (usage?.atNs ?? fromNs);
    const row = isChanged ? this.#arrange(readers) : this.#copyRow(readers);
    if (row.length === 0) return ended.length === 0 ? undefined : createEnding(ended, rowNs);
    this.#lastRow = row;
    const table = createRow(this.#series, rowNs, row);
    return ended.length === 0 ? table : { ...table, ended };
  }

  #takeCounted(readers: readonly FileReader[], from: number): void {
    const { pass, atNs } = this.#options.usage ?? {};
    const count = Math.min(readers.length - from, partCapacity);
    for (let i = 0; i < count; i++) {
      this.#outcomes[i] = pass && atNs !== undefined ? readers[from + i].takeFrom(pass, atNs) : undefined;
      if (this.#outcomes[i] === undefined) this.#hasFiles = true;
    }
  }

  /** What has no descriptor yet is read alone, and so is everything where the kernel reads nothing together. */
  #readTogether(readers: readonly FileReader[], from: number, to: number): void {
    const { batch } = this.#options;
    if (batch === undefined || !this.#hasFiles) return;
    for (let i = from; i < to; i++) {
      const fd = this.#outcomes[i - from] === undefined ? readers[i].fd : undefined;
      this.#slots[i - from] = fd === undefined ? -1 : batch.add(fd);
    }
    batch.run();
  }

  #take(reader: FileReader, index: number, nowNs: bigint): Outcome {
    const { batch } = this.#options;
    const slot = this.#slots[index];
    if (batch === undefined || slot < 0) return reader.read(nowNs);
    const length = batch.lengths[slot];
    return length >= 0 && length < slotBytes
      ? reader.take(batch.texts[slot], length, nowNs)
      : reader.read(nowNs);
  }

  /** @returns whether it has other series than before */
  #noteOutcome(reader: FileReader, outcome: Outcome, ended: Series[]): boolean {
    if (outcome === 'failed') this.#options.onFailure(reader);
    if (!reader.takeChange() && outcome !== 'absent') return false;
    reader.takeEnded(ended);
    return true;
  }

  /** Gives each reader its place. @returns the row */
  #arrange(readers: readonly FileReader[]): Float64Array {
    this.#readers = readers.filter(({ isAbsent }) => !isAbsent);
    const series = this.#readers.flatMap(({ slots }) => slots.flatMap((slot) => slot.series));
    // Who takes the tables works out a plan for each array.
    const isSame = series.length === this.#series.length && series.every((one, i) => one === this.#series[i]);
    if (!isSame) this.#series = series;
    const row = new Float64Array(series.length);
    let at = 0;
    this.#places = this.#readers.map((reader) => {
      const place = at;
      at = reader.write(row, at);
      return place;
    });
    return row;
  }

  /** A table is never changed: where nothing has, it has the values of the one before. */
  #copyRow(readers: readonly FileReader[]): Float64Array {
    if (this.#read.length === 0) return this.#lastRow;
    const row = new Float64Array(this.#lastRow);
    for (const index of this.#read) readers[index].write(row, this.#places[index]);
    return row;
  }
}
