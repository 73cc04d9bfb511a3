import type { Attributes, Metric, Resource, Series } from '../model/series.js';
import { createEnding, createRow, type Table } from '../model/table.js';

/** A gauge or an up-down counter of the machine. */
export interface GaugeColumn {
  readonly metric: Metric;
  readonly attributes: Attributes;
}

/** Gauges of the machine. One row per reading. */
export class GaugeTable {
  readonly #resource: Resource;
  readonly #byColumn = new Map<GaugeColumn, Series>();
  #columns: readonly GaugeColumn[];
  #series: readonly Series[] = [];
  #ended: Series[] = [];
  #isChanged = true;

  constructor(resource: Resource, columns: readonly GaugeColumn[]) {
    this.#resource = resource;
    this.#columns = columns;
  }

  /**
   * Changes the columns. Columns that stay must be the same objects; the series of removed ones end with the
   * next row.
   */
  choose(columns: readonly GaugeColumn[]): void {
    const kept = new Set(columns);
    for (const [column, series] of this.#byColumn) {
      if (!kept.has(column) && this.#byColumn.delete(column)) this.#ended.push(series);
    }
    this.#columns = columns;
    this.#isChanged = true;
  }

  /** The row of a reading, with values in column order. */
  row(at: bigint, values: readonly number[]): Table {
    if (this.#isChanged) this.#series = this.#columns.map((column) => this.#seriesOf(column, at));
    this.#isChanged = false;
    const row = createRow(this.#series, at, Float64Array.from(values));
    if (this.#ended.length === 0) return row;
    const ended = this.#ended;
    this.#ended = [];
    return { ...row, ended };
  }

  /** Ends every series. */
  restart(at: bigint): Table {
    const ended = [...this.#ended, ...this.#byColumn.values()];
    this.#byColumn.clear();
    this.#ended = [];
    this.#isChanged = true;
    return createEnding(ended, at);
  }

  #seriesOf(column: GaugeColumn, start: bigint): Series {
    const { metric, attributes } = column;
    const series = this.#byColumn.get(column) ?? { metric, attributes, resource: this.#resource, start };
    this.#byColumn.set(column, series);
    return series;
  }
}
