import type { Clock } from '../../src/linux/clock.js';
import { ATTR_PROCESS_LINUX_CGROUP } from '../../src/model/semantic-conventions.js';
import type { Series } from '../../src/model/series.js';
import { createRow, type Table } from '../../src/model/table.js';
import type { ProcessReader } from './process-reader.js';
import type { Scan } from './scan.js';
import { TrackedProcess, type Outcome } from './tracked-process.js';

/** Reading 32 processes takes 0.2 ms if none of them is new. */
export const partCapacity = 32;

/** Number of new processes, each of which takes up to 0.2 ms, after which other work can run. */
const arrivalsPerStep = 8;

/** Options of all parts. */
export interface PartOptions {
  readonly reader: ProcessReader;
  readonly clock: Clock;
  /** The processes of all parts, by PID; kept up to date as processes start and end. */
  readonly known: Map<number, TrackedProcess>;
  /** The number of processes in each state; also kept up to date. */
  readonly states: Map<string, number>;
}

/** A group of processes whose values form one row. Other work can run between the parts of a scan. */
export class ProcessPart {
  readonly #options: PartOptions;
  #processes: TrackedProcess[] = [];
  #arrivals: number[] = [];
  #series: readonly Series[] = [];
  #isChanged = false;
  /** The processes to read next, if not all are read. */
  #due = new Set<TrackedProcess>();
  /** The PIDs of the processes, to find those that are due without accessing each object. */
  #pids: readonly number[] = [];
  /** The last row, and its Unix time in nanoseconds. */
  #row = new Float64Array(0);
  #rowNs = 0n;

  constructor(options: PartOptions) {
    this.#options = options;
  }

  /** The number of processes, including those to be added. */
  get size(): number {
    return this.#processes.length + this.#arrivals.length;
  }

  /** Adds a process when the part is next read. */
  expect(pid: number): void {
    this.#arrivals.push(pid);
  }

  /** Notes that one of its processes has changed. */
  expectChange(process: TrackedProcess): void {
    this.#due.add(process);
  }

  /** Removes all processes, so that they can be added to other parts. */
  release(): readonly TrackedProcess[] {
    const processes = this.#processes;
    for (const process of processes) process.noteRow(this.#rowNs);
    this.#due.clear();
    this.#processes = [];
    this.#isChanged = true;
    return processes;
  }

  /** Adds a process that was in another part. */
  adopt(process: TrackedProcess): void {
    this.#take(process);
  }

  #take(process: TrackedProcess): void {
    process.part = this;
    this.#processes.push(process);
    this.#due.add(process);
    this.#isChanged = true;
  }

  /**
   * Reads its processes, in one step if few are new.
   * @param isThorough reads all processes, not only those that have changed or are due
   * @returns one row, timestamped with the time of its CPU times: that of the scan, or the middle of this
   * reading; undefined if no process is left
   */
  *read(scan: Scan, isThorough: boolean): Generator<undefined, Table | undefined> {
    const { clock } = this.#options;
    const fromNs = clock.wallNs();
    const read = isThorough ? this.#processes : this.#takeDue(scan);
    this.#due = new Set();
    this.#readKnown(read, scan);
    yield* this.#readArrivals(scan);
    const rowNs = scan.at.readNs ?? fromNs + (clock.wallNs() - fromNs) / 2n;
    if (this.#isChanged) this.#arrange(rowNs);
    else this.#update(read);
    this.#isChanged = false;
    this.#rowNs = rowNs;
    if (this.#processes.length === 0) return undefined;
    const table = createRow(this.#series, rowNs, this.#row);
    this.#remove(
      read.filter(({ isDead }) => isDead),
      scan,
    );
    return table;
  }

  /** Values that can change without a report by the source of CPU time are checked periodically. */
  #takeDue(scan: Scan): readonly TrackedProcess[] {
    const { lookAgainAfter } = this.#options.reader;
    const pids = this.#isChanged ? this.#processes.map(({ pid }) => pid) : this.#pids;
    for (let i = 0; i < pids.length; i++) {
      if ((scan.number + pids[i]) % lookAgainAfter === 0) this.#due.add(this.#processes[i]);
    }
    return [...this.#due];
  }

  #readKnown(processes: readonly TrackedProcess[], scan: Scan): void {
    const gone = processes.filter((process) => {
      const before = process.state;
      const isHere = process.listedIn === scan.listing && this.#readOne(process, scan) !== 'gone';
      this.#count(before, process.state);
      this.#isChanged ||= !isHere || !process.hasSeries;
      return !isHere;
    });
    this.#remove(gone, scan);
  }

  #readOne(process: TrackedProcess, scan: Scan): Outcome {
    const outcome = process.read(this.#options.reader, scan, this.#rowNs);
    if (process.isRestless) this.#due.add(process);
    return outcome;
  }

  /** Counts a change of state; undefined: the process did not exist before, or no longer exists. */
  #count(from: string | undefined, to: string | undefined): void {
    if (from === to) return;
    const { states } = this.#options;
    if (from !== undefined) states.set(from, (states.get(from) ?? 0) - 1);
    if (to !== undefined) states.set(to, (states.get(to) ?? 0) + 1);
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
    process.part = undefined;
    this.#due.delete(process);
    this.#count(process.state, undefined);
    this.#options.known.delete(process.pid);
    // It ended after the listing: the PID may already have been reused.
    if (process.listedIn === scan.listing) this.#arrivals.push(process.pid);
  }

  *#readArrivals(scan: Scan): Generator<undefined> {
    const { reader, known } = this.#options;
    for (const [index, pid] of this.#arrivals.entries()) {
      if (index > 0 && index % arrivalsPerStep === 0) yield;
      const files = reader.open(pid);
      if (files === 'failed') scan.refused.push(pid);
      if (files === 'failed' || files === 'gone') continue;
      const process = new TrackedProcess(pid, files, reader, scan);
      // It ended while it was identified. Without its cgroup, it would be charged in addition to that.
      if (process.attributes[ATTR_PROCESS_LINUX_CGROUP] === undefined && !reader.exists(pid)) {
        process.close();
        reader.cpuTime?.release?.(pid);
        continue;
      }
      this.#take(process);
      this.#count(undefined, process.state);
      known.set(pid, process);
    }
    this.#arrivals = [];
  }

  /** Must be called if processes or series have changed. */
  #arrange(rowNs: bigint): void {
    // A copy, since V8 keeps room for more in an array that grew.
    this.#series = this.#processes.flatMap((process) => process.listSeries(rowNs)).slice();
    this.#pids = this.#processes.map(({ pid }) => pid);
    this.#row = new Float64Array(this.#series.length);
    let at = 0;
    for (const process of this.#processes) {
      process.place(this.#series, at);
      at = process.write(this.#row);
    }
  }

  /** Tables are immutable: unchanged values are copied from the previous row. */
  #update(read: readonly TrackedProcess[]): void {
    const changed = read.filter(({ isWritten }) => !isWritten);
    if (changed.length === 0) return;
    this.#row = new Float64Array(this.#row);
    for (const process of changed) process.write(this.#row);
  }
}
