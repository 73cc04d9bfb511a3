import type { Clock } from '../../src/linux/clock.js';
import type { Series } from '../../src/model/series.js';
import { createEnding, createRow, type Table } from '../../src/model/table.js';
import type { FileReader } from './file-reader.js';
import type { TrackedCgroup } from './tracked-cgroup.js';

/** Reading this many is less than 1 ms of work, and at most 5 ms where all are new. */
export const partCapacity = 32;

/** What parts need beside their cgroups. */
export interface PartOptions {
  readonly clock: Clock;
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
    return this.#cpu.read(() => [...this.#cgroups].flatMap((cgroup) => cgroup.cpuReaders));
  }

  /** Reads everything else. */
  readDetails(): Table | undefined {
    return this.#details.read(() => [...this.#cgroups].flatMap((cgroup) => cgroup.detailReaders));
  }
}

/** Files whose values are one row. */
class ReaderRow {
  readonly #options: PartOptions;
  #readers: readonly FileReader[] | undefined;
  #series: readonly Series[] = [];

  constructor(options: PartOptions) {
    this.#options = options;
  }

  /** Asks for the readers again before the next reading. */
  forget(): void {
    this.#readers = undefined;
  }

  /** @returns one row, with the middle of the reading as its instant, and the series that have ended */
  read(listReaders: () => readonly FileReader[]): Table | undefined {
    const { clock } = this.#options;
    let isChanged = this.#readers === undefined;
    const readers = (this.#readers ??= listReaders());
    const ended: Series[] = [];
    const fromNs = clock.wallNs();
    for (const reader of readers) {
      const outcome = reader.read(fromNs);
      if (outcome === 'failed') this.#options.onFailure(reader);
      if (!reader.takeChange() && outcome !== 'absent') continue;
      isChanged = true;
      reader.takeEnded(ended);
    }
    const rowNs = fromNs + (clock.wallNs() - fromNs) / 2n;
    if (isChanged) this.#arrange(readers);
    if (this.#series.length === 0) return ended.length === 0 ? undefined : createEnding(ended, rowNs);
    const row = this.#createRow(rowNs);
    return ended.length === 0 ? row : { ...row, ended };
  }

  #arrange(readers: readonly FileReader[]): void {
    this.#readers = readers.filter(({ isAbsent }) => !isAbsent);
    const series = this.#readers.flatMap(({ slots }) => slots.flatMap((slot) => slot.series));
    // Who takes the tables works out a plan for each array.
    const isSame = series.length === this.#series.length && series.every((one, i) => one === this.#series[i]);
    if (!isSame) this.#series = series;
  }

  #createRow(rowNs: bigint): Table {
    const row = new Float64Array(this.#series.length);
    let at = 0;
    for (const reader of this.#readers ?? []) at = reader.write(row, at);
    return createRow(this.#series, rowNs, row);
  }
}
