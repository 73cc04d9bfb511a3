import type { Clock } from '../../src/linux/clock.js';
import type { Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import type { ProcessReader } from './process-reader.js';
import type { Scan } from './scan.js';
import { TrackedProcess } from './tracked-process.js';

/** This many processes are 0.2 ms of work where none of them is new. */
export const partCapacity = 32;

/** After this many new processes, each of which takes up to 0.2 ms, others may run. */
const arrivalsPerStep = 8;

/** Some of the processes, read together into one row, so that others may run between the parts of a scan. */
export class ProcessPart {
  readonly #reader: ProcessReader;
  readonly #clock: Clock;
  readonly #known: Map<number, TrackedProcess>;
  #processes: TrackedProcess[] = [];
  #arrivals: number[] = [];
  #series: readonly Series[] = [];
  #isChanged = false;

  /** @param known the processes of all parts, by pid: kept up to date as they come and go */
  constructor(reader: ProcessReader, clock: Clock, known: Map<number, TrackedProcess>) {
    this.#reader = reader;
    this.#clock = clock;
    this.#known = known;
  }

  /** How many processes it has, those that are to be taken up among them. */
  get size(): number {
    return this.#processes.length + this.#arrivals.length;
  }

  /** Takes a process up when the part is read next. */
  expect(pid: number): void {
    this.#arrivals.push(pid);
  }

  /** Gives all its processes to other parts. */
  release(): readonly TrackedProcess[] {
    const processes = this.#processes;
    this.#processes = [];
    this.#isChanged = true;
    return processes;
  }

  /** Takes over a process that another part had. */
  adopt(process: TrackedProcess): void {
    this.#processes.push(process);
    this.#isChanged = true;
  }

  /**
   * Reads all of its processes, in one step where few are new.
   * @returns one row, at the instant of its CPU times: the scan's, or the middle of this reading; nothing when no process
   * is left
   */
  *read(scan: Scan): Generator<undefined, Table | undefined> {
    const fromNs = this.#clock.wallNs();
    this.#readKnown(scan);
    yield* this.#readArrivals(scan);
    const rowNs = scan.at.readNs ?? fromNs + (this.#clock.wallNs() - fromNs) / 2n;
    if (this.#isChanged) {
      this.#series = this.#processes.flatMap((process) => process.series ?? process.beginSeries(rowNs));
    }
    this.#isChanged = false;
    if (this.#processes.length === 0) return undefined;
    const row = this.#createRow(rowNs);
    this.#remove(
      this.#processes.filter(({ isDead }) => isDead),
      scan,
    );
    return row;
  }

  #readKnown(scan: Scan): void {
    const gone = this.#processes.filter((process) => {
      const isHere = process.listedIn === scan.listing && process.read(this.#reader, scan) !== 'gone';
      this.#isChanged ||= !isHere || process.series === undefined;
      return !isHere;
    });
    this.#remove(gone, scan);
  }

  #remove(gone: readonly TrackedProcess[], scan: Scan): void {
    if (gone.length === 0) return;
    this.#isChanged = true;
    this.#processes = this.#processes.filter((process) => !gone.includes(process));
    for (const process of gone) this.#end(process, scan);
  }

  #end(process: TrackedProcess, scan: Scan): void {
    scan.ended.push(...process.endSeries());
    process.close();
    this.#known.delete(process.pid);
    // It went after the listing: the pid may belong to another process already.
    if (process.listedIn === scan.listing) this.#arrivals.push(process.pid);
  }

  *#readArrivals(scan: Scan): Generator<undefined> {
    for (const [index, pid] of this.#arrivals.entries()) {
      if (index > 0 && index % arrivalsPerStep === 0) yield;
      const files = this.#reader.open(pid);
      if (files === 'failed') scan.refused.push(pid);
      if (files === 'failed' || files === 'gone') continue;
      const process = new TrackedProcess(pid, files, this.#reader, scan);
      this.#processes.push(process);
      this.#known.set(pid, process);
      this.#isChanged = true;
    }
    this.#arrivals = [];
  }

  #createRow(rowNs: bigint): Table {
    const row = new Float64Array(this.#series.length);
    let at = 0;
    for (const process of this.#processes) at = process.write(row, at, rowNs);
    return createRow(this.#series, rowNs, row);
  }
}
