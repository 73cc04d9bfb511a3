import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { Counts } from './counts.js';
import { maxSeconds } from './lines.js';

/** A kernel counter: its metric, and how it is read. */
export interface CounterColumn {
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** Kernel units per metric unit: 100 ticks per second, 1/512 sectors per byte. */
  readonly perUnit: number;
  /** Decreases up to this, in kernel units, are noise: the counter stays constant until they are made up for. */
  readonly mayFall?: number;
  /** The kernel counts it modulo 2^32. */
  readonly wraps?: boolean;
}

/** The columns of an object, called once when it appears; undefined: it is left out. */
export type DescribeCounters = (name: string) => readonly CounterColumn[] | undefined;

interface Entry {
  /** Undefined: it is left out. */
  counters: Counters | undefined;
  scan: number;
}

/** The counters of objects that come and go: CPUs, disks, network interfaces. One row per scan. */
export class CounterTable {
  readonly #resource: Resource;
  readonly #describe: DescribeCounters;
  readonly #entries = new Map<string, Entry>();
  #series: readonly Series[] = [];
  #ended: Series[] = [];
  #changed = false;
  #scan = 0;
  #at = 0n;

  /** @param describe the columns of an object, called once when it appears; undefined: it is left out */
  constructor(resource: Resource, describe: DescribeCounters) {
    this.#resource = resource;
    this.#describe = describe;
  }

  /** Starts a scan at a Unix time in nanoseconds. */
  begin(at: bigint): void {
    this.#scan++;
    this.#at = at;
  }

  /** Takes the reading of one object, in the order of its columns. */
  add(name: string, counts: Counts): void {
    const entry = this.#entries.get(name);
    if (entry === undefined)
      this.#entries.set(name, { counters: this.#appear(name, counts), scan: this.#scan });
    // Names that are not UTF-8 can look alike: the first one is read.
    else if (entry.scan !== this.#scan) this.#update(entry, name, counts);
  }

  /** Ends the scan, and the series of objects that were not found in it. */
  finish(): Table {
    for (const [name, entry] of this.#entries) {
      if (entry.scan === this.#scan) continue;
      this.#entries.delete(name);
      this.#end(entry);
    }
    const live = [...this.#entries.values()].flatMap(({ counters }) => counters ?? []);
    if (this.#changed) this.#series = live.flatMap(({ series }) => series);
    const values = new Float64Array(this.#series.length);
    let at = 0;
    for (const counters of live) {
      values.set(counters.values, at);
      at += counters.values.length;
    }
    const ended = this.#ended;
    this.#ended = [];
    this.#changed = false;
    const row = createRow(this.#series, this.#at, values);
    return ended.length > 0 ? { ...row, ended } : row;
  }

  /** Ends every series: later readings do not continue earlier ones. */
  restart(at: bigint): Table {
    const ended = [...this.#ended, ...this.#series];
    this.#entries.clear();
    this.#series = [];
    this.#ended = [];
    return createEnding(ended, at);
  }

  #appear(name: string, counts: Counts): Counters | undefined {
    const columns = this.#describe(name);
    if (columns === undefined) return undefined;
    this.#changed = true;
    return new Counters(columns, { resource: this.#resource, start: this.#at, counts });
  }

  #update(entry: Entry, name: string, counts: Counts): void {
    entry.scan = this.#scan;
    if (entry.counters?.wasReset(counts) === true) {
      this.#end(entry);
      entry.counters = this.#appear(name, counts);
    } else {
      entry.counters?.update(counts);
    }
  }

  #end({ counters }: Entry): void {
    if (counters === undefined) return;
    this.#ended.push(...counters.series);
    this.#changed = true;
  }
}

/** The start of counters. */
export interface CountersStart {
  readonly resource: Resource;
  /** Unix time in nanoseconds at which they are 0. */
  readonly start: bigint;
  /** The kernel's counts at that time; by default, the kernel started counting then. */
  readonly counts?: Counts;
}

/**
 * The counters of one object, for example a disk. The kernel counts since the object appeared; what it counted
 * before the first look is not part of any window, so that the first reading is 0.
 */
export class Counters {
  readonly series: readonly Series[];
  /** The values of the last reading, in the order of the columns. */
  readonly values: Float64Array;
  readonly #columns: readonly CounterColumn[];
  readonly #first: Counts;
  readonly #last: Counts;
  readonly #wraps: Float64Array;
  /** Maximum increase between two readings: beyond this, the count fell below 0, modulo 2^64. */
  readonly #maxRise: Float64Array;

  constructor(columns: readonly CounterColumn[], { resource, start, counts }: CountersStart) {
    this.series = columns.map(({ metric, attributes }) => ({ metric, resource, attributes, start }));
    this.values = new Float64Array(columns.length);
    this.#columns = columns;
    this.#first = new Counts(columns.length);
    this.#last = new Counts(columns.length);
    this.#wraps = new Float64Array(columns.length);
    this.#maxRise = Float64Array.from(columns, findMaxRise);
    if (counts === undefined) return;
    columns.forEach((_, i) => {
      this.#first.copy(i, counts, i);
      this.#last.copy(i, counts, i);
    });
  }

  /**
   * Whether a reading does not continue the last one: the object was unplugged, its driver reloaded, or the
   * kernel's value is impossible.
   */
  wasReset(counts: Counts): boolean {
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i];
      const read = counts.since(this.#last, i);
      const rise = read + countWraps(column, read) * modulus;
      if (rise < -(column.mayFall ?? 0) || rise > this.#maxRise[i]) return true;
    }
    return false;
  }

  /** Takes a reading. */
  update(counts: Counts): void {
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i];
      this.#wraps[i] += countWraps(column, counts.since(this.#last, i));
      const count = counts.since(this.#first, i) + this.#wraps[i] * modulus;
      this.values[i] = Math.max(this.values[i], count / column.perUnit);
      this.#last.copy(i, counts, i);
    }
  }
}

const modulus = 2 ** 32;

/** How often a counter passed 0 upwards, assuming the shorter way between two readings: 1, 0 or -1. */
function countWraps({ wraps }: CounterColumn, rise: number): number {
  if (wraps !== true || Math.abs(rise) <= modulus / 2) return 0;
  return rise < 0 ? 1 : -1;
}

/** Half of the 64-bit range in which the kernel counts nanoseconds, even where it shows coarser units. */
function findMaxRise({ metric, perUnit, wraps }: CounterColumn): number {
  if (wraps === true) return modulus / 2;
  return metric.unit === 's' ? maxSeconds * perUnit : 2 ** 63;
}
