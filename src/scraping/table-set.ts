import type { Resource } from '../model/series.js';
import type { Table } from '../model/table.js';
import { CounterTable, type DescribeCounters } from './counter-table.js';
import { GaugeTable, type GaugeColumn } from './gauge-table.js';

/** The tables of one source: series of one resource that end together. */
export class TableSet {
  readonly #resource: Resource;
  readonly #tables: (CounterTable | GaugeTable)[] = [];

  constructor(resource: Resource) {
    this.#resource = resource;
  }

  /**
   * Counters of objects that come and go, with resets.
   * @param describe the columns of an object, called once when it appears; undefined: it is left out
   */
  counters(describe: DescribeCounters): CounterTable {
    const table = new CounterTable(this.#resource, describe);
    this.#tables.push(table);
    return table;
  }

  /** Gauges and up-down counters. */
  gauges(columns: readonly GaugeColumn[] = []): GaugeTable {
    const table = new GaugeTable(this.#resource, columns);
    this.#tables.push(table);
    return table;
  }

  /** Ends every series: later readings belong to new ones. */
  restart(at: bigint): readonly Table[] {
    return this.#tables.map((table) => table.restart(at));
  }
}
