import type { Log } from '../component/log.js';
import { describeError } from '../errors.js';
import type { Clock } from '../linux/clock.js';
import { isAbsent, KeptFile } from '../linux/kept-file.js';
import { findOrAdd } from '../model/plan.js';
import type { Resource } from '../model/series.js';
import type { Table } from '../model/table.js';
import type { CounterTable, DescribeCounters } from './counter-table.js';
import type { GaugeColumn, GaugeTable } from './gauge-table.js';
import { Plausibility } from './lines.js';
import { TableSet } from './table-set.js';

/** A reading of many files, with a step after each part: others may run in between. */
export type Steps<Result> = Generator<undefined, Result>;

/**
 * Reads the files of a source now, in steps where there may be many.
 * @param at Unix time in nanoseconds, for the rows
 * @throws Error when nothing can be read and parsed
 */
export type ReadSource = (at: bigint) => readonly Table[] | Steps<readonly Table[]>;

/**
 * Some files of procfs or sysfs that are read together, as a receiver describes them.
 * @param source holds the files and tables that the description asks for, and closes and restarts them
 */
export type DescribeSource = (source: Source) => ReadSource;

/** What a source works with. */
export interface SourceContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly host: Resource;
}

/** What one reading of a source gave. */
export interface SourceReading {
  readonly tables: readonly Table[];
  /** Why nothing could be read. */
  readonly error?: unknown;
  /** Why some files could not be read although they are there. */
  readonly failed: readonly string[];
  /** Files that this kernel does not have. */
  readonly absent: readonly string[];
}

/** The files of one source and the tables that they become. Must be closed. */
export class Source {
  readonly #context: SourceContext;
  readonly #files = new Map<string, KeptFile>();
  readonly #tables: TableSet;
  readonly #plausibility: Plausibility;
  readonly #read: ReadSource;
  #absent: string[] = [];
  #failed: string[] = [];

  constructor(context: SourceContext, describe: DescribeSource) {
    this.#context = context;
    this.#tables = new TableSet(context.host);
    this.#plausibility = new Plausibility(context.log);
    this.#read = describe(this);
  }

  /** A file to be read again and again, opened by its first read; the same object for the same path. */
  file(path: string): KeptFile {
    return findOrAdd(this.#files, path, () => new KeptFile(path));
  }

  /** Closes a file that is not read any more, which is another object if it comes back. */
  forget(path: string): void {
    this.#files.get(path)?.close();
    this.#files.delete(path);
  }

  /** Counters of things that come and go. @param describe the columns of a thing; undefined: it is left out */
  counters(describe: DescribeCounters): CounterTable {
    return this.#tables.counters(describe);
  }

  /** Gauges and up-down counters of the machine. */
  gauges(columns: readonly GaugeColumn[] = []): GaugeTable {
    return this.#tables.gauges(columns);
  }

  /**
   * A figure of the kernel; NaN, with one warning, where it is below 0 or above `max`.
   * @param what the figure and its file, for people
   */
  check(what: string, value: number, max: number): number {
    return this.#plausibility.check(what, value, max);
  }

  /**
   * Reads parts, each on its own: one that fails does not hide the others.
   * @throws Error of the first, when all fail
   */
  readParts(parts: readonly (() => void)[]): void {
    runAtOnce(this.readInSteps(parts));
  }

  /** The same in steps, for parts of which there may be hundreds. */
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
      return { tables, absent: this.#absent, failed: this.#failed };
    } catch (error) {
      return { tables: [], error, absent: [], failed: [] };
    }
  }

  /** Ends every series: what is read from now on belongs to new ones. */
  restart(at: bigint): readonly Table[] {
    return this.#tables.restart(at);
  }

  /** Reads once without a trace, to see what can be read. */
  probe(): SourceReading {
    const reading = runAtOnce(this.read());
    this.restart(0n);
    return reading;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}

/** Takes all steps of a reading without a pause. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
