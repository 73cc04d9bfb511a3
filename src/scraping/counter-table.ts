import type { Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';
import { Counters, type CounterColumn } from './counters.js';
import type { Counts } from './counts.js';

interface Entry {
  /** Undefined: nothing is to be told of it. */
  counters: Counters | undefined;
  scan: number;
}

/** The counters of things that come and go: CPUs, disks, network interfaces. One row per scan. */
export class CounterTable {
  readonly #resource: Resource;
  readonly #describe: (name: string) => readonly CounterColumn[] | undefined;
  readonly #entries = new Map<string, Entry>();
  #series: readonly Series[] = [];
  #ended: Series[] = [];
  #changed = false;
  #scan = 0;
  #at = 0n;

  /** @param describe the columns of a thing, asked once when it appears; undefined: it is left out */
  constructor(resource: Resource, describe: (name: string) => readonly CounterColumn[] | undefined) {
    this.#resource = resource;
    this.#describe = describe;
  }

  /** Begins a scan at a Unix time in nanoseconds. */
  begin(at: bigint): void {
    this.#scan++;
    this.#at = at;
  }

  /** Takes the reading of one thing, in the order of its columns. */
  add(name: string, counts: Counts): void {
    const entry = this.#entries.get(name);
    if (entry === undefined)
      this.#entries.set(name, { counters: this.#appear(name, counts), scan: this.#scan });
    // Names that are no UTF-8 can look the same: the first one is read.
    else if (entry.scan !== this.#scan) this.#update(entry, name, counts);
  }

  /** Ends the scan. What was not found in it has ended. */
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

  /** Ends every series: what is read from now on does not connect with what was read before. */
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
    return new Counters(columns, counts, this.#resource, this.#at);
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
