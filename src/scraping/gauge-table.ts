import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';

/** A gauge or an up-down counter of the machine. */
export interface GaugeColumn {
  readonly metric: Metric;
  readonly attributes: Attributes;
}

/** Values of the machine that are what they are at their instant. One row per reading. */
export class GaugeTable {
  readonly #columns: readonly GaugeColumn[];
  readonly #resource: Resource;
  #series: readonly Series[] = [];

  constructor(resource: Resource, columns: readonly GaugeColumn[]) {
    this.#resource = resource;
    this.#columns = columns;
  }

  /** The row of one reading, its values in the order of the columns. */
  row(at: bigint, values: readonly number[]): Table {
    if (this.#series.length === 0) {
      this.#series = this.#columns.map((column) => ({ ...column, resource: this.#resource, start: at }));
    }
    return createRow(this.#series, at, Float64Array.from(values));
  }

  /** Ends every series. */
  restart(at: bigint): Table {
    const ended = this.#series;
    this.#series = [];
    return createEnding(ended, at);
  }
}
