import type { Clock } from '../../src/linux/clock.js';
import { slotBytes, type ReadBatch } from '../../src/linux/read-batch.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import type { FileReader, Outcome } from './file-reader.js';
import type { TrackedCgroup } from './tracked-cgroup.js';
import type { UnifiedUsage } from './unified-usage.js';

/** Reading 32 cgroups takes less than 1 ms if none of them is new. */
export const partCapacity = 32;

/** Number of files, each of which takes up to 0.2 ms when it is first read, after which other work can run. */
const newFilesPerStep = 8;

/** Options of all parts. */
export interface PartOptions {
  readonly clock: Clock;
  /** Reads several files in one step, at most `partCapacity`; undefined: each file is read separately. */
  readonly batch: ReadBatch | undefined;
  /** Reads the CPU time of all version 2 cgroups in one call. */
  readonly usage: UnifiedUsage | undefined;
  onFailure(reader: FileReader): void;
}

/** A group of cgroups whose values form one row. Other work can run between the parts of a scan. */
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

  /** Removes all cgroups, so that they can be added to other parts. */
  release(): readonly TrackedCgroup[] {
    const cgroups = [...this.#cgroups];
    this.#cgroups.clear();
    return cgroups;
  }

  /** Must be called when the files of one of its cgroups have changed. */
  change(): void {
    this.#cpu.forget();
    this.#details.forget();
  }

  /** Reads CPU time, in one step unless cgroups were added. @returns undefined when no cgroup has CPU time */
  readCpu(): Generator<undefined, Table | undefined> {
    return this.#cpu.read(() => [...this.#cgroups].flatMap((cgroup) => cgroup.cpuReaders));
  }

  /** Reads all other files, 32 per step, fewer if cgroups were added. */
  readDetails(): Generator<undefined, Table | undefined> {
    return this.#details.read(() => [...this.#cgroups].flatMap((cgroup) => cgroup.detailReaders));
  }
}

/** Files whose values form one row. Unchanged values are copied from the previous row. */
class ReaderRow {
  readonly #options: PartOptions;
  #readers: readonly FileReader[] | undefined;
  /** Index in the row at which the values of each reader begin. */
  #places: readonly number[] = [];
  #series: readonly Series[] = [];
  #lastRow: Float64Array = new Float64Array(0);
  readonly #read: number[] = [];
  /** Index in the batch of each reader's file; -1: the file is not in the batch. */
  readonly #slots = new Int32Array(partCapacity);
  /** Results of the readers that the pass over all cgroups covers; undefined: the file must be read. */
  readonly #outcomes: (Outcome | undefined)[] = [];
  /** Whether any file was read, not only the pass. */
  #hasFiles = false;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  /** Lists the readers again before the next reading. */
  forget(): void {
    this.#readers = undefined;
  }

  /** @returns one row, timestamped at the middle of the reading, and the series that have ended */
  *read(listReaders: () => readonly FileReader[]): Generator<undefined, Table | undefined> {
    const { clock, usage } = this.#options;
    let isChanged = this.#readers === undefined;
    const filesPerStep = isChanged ? newFilesPerStep : partCapacity;
    const readers = (this.#readers ??= listReaders());
    const ended: Series[] = [];
    const fromNs = clock.wallNs();
    this.#hasFiles = false;
    this.#read.length = 0;
    for (let from = 0; from < readers.length; from += filesPerStep) {
      if (from > 0) yield;
      const to = Math.min(readers.length, from + filesPerStep);
      this.#takeCounted(readers, from, to);
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

  #takeCounted(readers: readonly FileReader[], from: number, to: number): void {
    const { pass, atNs } = this.#options.usage ?? {};
    for (let i = from; i < to; i++) {
      const outcome = pass && atNs !== undefined ? readers[i].takeFrom(pass, atNs) : undefined;
      this.#outcomes[i - from] = outcome;
      if (outcome === undefined) this.#hasFiles = true;
    }
  }

  /** Files without an open descriptor are read separately, and so are all files if the kernel supports no batches. */
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

  /** @returns whether its series have changed */
  #noteOutcome(reader: FileReader, outcome: Outcome, ended: Series[]): boolean {
    if (outcome === 'failed') this.#options.onFailure(reader);
    if (!reader.takeChange() && outcome !== 'absent') return false;
    reader.takeEnded(ended);
    return true;
  }

  /** Assigns each reader its position in the row. @returns the row */
  #arrange(readers: readonly FileReader[]): Float64Array {
    this.#readers = readers.filter(({ isAbsent }) => !isAbsent);
    const series = this.#readers.flatMap(({ slots }) => slots.flatMap((slot) => slot.series));
    // Consumers of tables build a plan for each array of series.
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

  /** Tables are immutable: unchanged values are copied from the previous row. */
  #copyRow(readers: readonly FileReader[]): Float64Array {
    if (this.#read.length === 0) return this.#lastRow;
    const row = new Float64Array(this.#lastRow);
    for (const index of this.#read) readers[index].write(row, this.#places[index]);
    return row;
  }
}
