import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import type { Clock } from '../linux/clock.js';
import { isAbsent, KeptFile } from '../linux/kept-file.js';
import { runAtOnce } from '../linux/slices.js';
import { findOrAdd } from '../model/plan.js';
import type { Resource } from '../model/series.js';
import { countPoints, type Table } from '../model/table.js';
import type { CounterTable, DescribeCounters } from './counter-table.js';
import { GapColumns } from './gap-columns.js';
import type { GaugeColumn, GaugeTable } from './gauge-table.js';
import { Plausibility } from './lines.js';
import { TableSet } from './table-set.js';

/** A reading of many files, which yields after each part: other work may run in between. */
export type Steps<Result> = Generator<undefined, Result>;

/**
 * Reads the files of a source now, in steps if there may be many.
 * @param at Unix time in nanoseconds, for the rows
 * @throws Error if nothing can be read and parsed
 */
export type ReadSource = (at: bigint) => readonly Table[] | Steps<readonly Table[]>;

/**
 * Some files of procfs or sysfs that are read together, as a receiver describes them.
 * @param source provides files and tables to the description, and closes and restarts them
 */
export type DescribeSource = (source: Source) => ReadSource;

/** What a source depends on. */
export interface SourceContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Resource;
}

/** The result of one reading of a source. */
export interface SourceReading {
  /** With a gap where a table is missing that the previous reading had. */
  readonly tables: readonly Table[];
  /** Why nothing could be read. */
  readonly error?: unknown;
  /** Why some existing files could not be read. */
  readonly failed: readonly string[];
  /** Files that this kernel does not have. */
  readonly absent: readonly string[];
}

/** The files of one source and the tables built from them. Must be closed. */
export class Source {
  readonly #context: SourceContext;
  readonly #files = new Map<string, KeptFile>();
  readonly #tables: TableSet;
  readonly #plausibility: Plausibility;
  readonly #gaps = new GapColumns();
  readonly #read: ReadSource;
  #absent: string[] = [];
  #failed: string[] = [];

  constructor(context: SourceContext, describe: DescribeSource) {
    this.#context = context;
    this.#tables = new TableSet(context.host);
    this.#plausibility = new Plausibility(context.log);
    this.#read = describe(this);
  }

  /** A file that is read repeatedly, opened by its first read; the same object for the same path. */
  file(path: string): KeptFile {
    return findOrAdd(this.#files, path, () => new KeptFile(path));
  }

  /** Closes a file that is no longer read; if it is requested again, it is a new object. */
  forget(path: string): void {
    this.#files.get(path)?.close();
    this.#files.delete(path);
  }

  /** Counters of objects that come and go. @param describe the columns of an object; undefined: it is left out */
  counters(describe: DescribeCounters): CounterTable {
    return this.#tables.counters(describe);
  }

  /** Gauges and up-down counters of the machine. */
  gauges(columns: readonly GaugeColumn[] = []): GaugeTable {
    return this.#tables.gauges(columns);
  }

  /**
   * A value of the kernel; NaN, with one warning, if it is below 0 or above `max`.
   * @param what the value and its file, for messages
   */
  check(what: string, value: number, max: number): number {
    return this.#plausibility.check(what, value, max);
  }

  /**
   * Reads independent parts: one that fails does not affect the others.
   * @throws Error of the first, if all fail
   */
  readParts(parts: readonly (() => void)[]): void {
    runAtOnce(this.readInSteps(parts));
  }

  /** The same in steps, for possibly hundreds of parts. */
  *readInSteps(parts: readonly (() => void)[]): Steps<void> {
    const errors: unknown[] = [];
    for (const part of parts) {
      try {
        part();
      } catch (error) {
        errors.push(error);
      }
      yield;
    }
    if (errors.length > 0 && errors.length === parts.length) throw errors[0];
    for (const error of errors) (isAbsent(error) ? this.#absent : this.#failed).push(describeError(error));
  }

  /** Reads now. Never throws. */
  *read(): Steps<SourceReading> {
    this.#absent = [];
    this.#failed = [];
    try {
      const reading = this.#read(this.#context.clock.wallNs());
      const tables = 'next' in reading ? yield* reading : reading;
      return { tables: [...tables, ...this.#findGaps(tables)], absent: this.#absent, failed: this.#failed };
    } catch (error) {
      return { tables: this.#findGaps([]), error, absent: [], failed: [] };
    }
  }

  #findGaps(tables: readonly Table[]): readonly Table[] {
    this.#gaps.begin();
    for (const table of tables) this.#gaps.note(table, countPoints(table));
    return this.#gaps.createGap(this.#context.clock.wallNs());
  }

  /** Ends every series: later readings belong to new ones. */
  restart(at: bigint): readonly Table[] {
    this.#gaps.clear();
    return this.#tables.restart(at);
  }

  /** Reads once and discards the result, to find out what can be read. */
  probe(): SourceReading {
    const reading = runAtOnce(this.read());
    this.restart(0n);
    return reading;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}
