import type { Clock } from '../../src/component/clock.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { partCapacity, ProcessPart } from './process-part.js';
import type { ProcessReader } from './process-reader.js';
import type { Scan } from './scan.js';
import type { TrackedProcess } from './tracked-process.js';

/** All processes that are there, in parts that are read one by one. */
export class TrackedProcesses {
  readonly #reader: ProcessReader;
  readonly #clock: Clock;
  readonly #known = new Map<number, TrackedProcess>();
  #parts: ProcessPart[] = [];

  constructor(reader: ProcessReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
  }

  /** Compares with a new listing. What came and went since the last one shows when the parts are read. */
  match(pids: readonly number[], refused: ReadonlySet<number>, scan: Scan): void {
    for (const pid of pids) {
      const process = this.#known.get(pid);
      if (process !== undefined) process.listedIn = scan.number;
      else if (!refused.has(pid)) this.#findRoom().expect(pid);
    }
  }

  /** Reads part after part: a table for each. */
  *read(scan: Scan): Iterable<Table> {
    for (const part of this.#parts) {
      const table = part.read(scan);
      if (table !== undefined) yield table;
    }
    // Where many have ended, the few that are left lie scattered.
    if (this.#parts.length > 2 * Math.ceil(this.#known.size / partCapacity) + 1) this.#gather();
  }

  /** Ends the series of all processes, which have new ones from the next scan on. */
  endSeries(): readonly Series[] {
    return [...this.#known.values()].flatMap((process) => process.endSeries());
  }

  close(): void {
    for (const process of this.#known.values()) process.close();
    this.#known.clear();
    this.#parts = [];
  }

  #findRoom(): ProcessPart {
    const found = this.#parts.find((part) => part.hasRoom);
    if (found !== undefined) return found;
    const part = new ProcessPart(this.#reader, this.#clock, this.#known);
    this.#parts.push(part);
    return part;
  }

  #gather(): void {
    this.#parts = [];
    for (const process of this.#known.values()) this.#findRoom().adopt(process);
  }
}
