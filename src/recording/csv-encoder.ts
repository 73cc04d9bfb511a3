import { createPlans, findOrAdd } from '../model/plan.js';
import type { AnySeries, Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import {
  createEndRow,
  createHistogramEndRows,
  doubleText,
  endedState,
  intText,
  timeText,
} from './cell-text.js';
import { csvField, fixedColumns, inertText, metricColumn, rowKey, sharedFields } from './csv-columns.js';
import { figureColumns, HistogramRowsWriter } from './csv-histograms.js';
import { isHistogramSeries } from './recorded-series.js';
import { isHistograms, type RecordedTable } from './recorded-table.js';

/** Columns of a table that share a row of the file. */
interface RowPlan {
  /** The fields after the instant, including the surrounding commas. */
  readonly shared: string;
  readonly cells: readonly Cell[];
  /** The commas after the last cell. */
  readonly rest: string;
}

interface Cell {
  readonly column: number;
  readonly isInt: boolean;
  /** The commas since the previous cell. */
  readonly commas: string;
}

/**
 * Writes tables as CSV: a row for each instant, resource, attribute set, start and kind, and a column for each
 * metric. A histogram has a row of its own, with its sum in the column of the metric and the rest in columns of
 * their own. The columns are fixed per file; call `findMissing` first for those that a table needs.
 */
export class CsvEncoder {
  readonly #attributeColumns: readonly string[];
  #columns: readonly string[];
  #planOf = this.#createPlans('');
  #endPlanOf = this.#createPlans(endedState);
  #missingOf = this.#createMissing();
  #histograms: HistogramRowsWriter;
  #histogramEnds: HistogramRowsWriter;

  /** @param attributeColumns attributes with a column of their own, in addition to `resource` and `attributes` */
  constructor(attributeColumns: readonly string[], columns: readonly string[] = []) {
    this.#attributeColumns = attributeColumns;
    this.#columns = columns;
    this.#histograms = this.#createRowsWriter('');
    this.#histogramEnds = this.#createRowsWriter(endedState);
  }

  /** The metric and histogram columns of the file. */
  get columns(): readonly string[] {
    return this.#columns;
  }

  /** Starts a file with other columns. */
  set columns(columns: readonly string[]) {
    this.#columns = columns;
    this.#planOf = this.#createPlans('');
    this.#endPlanOf = this.#createPlans(endedState);
    this.#missingOf = this.#createMissing();
    this.#histograms = this.#createRowsWriter('');
    this.#histogramEnds = this.#createRowsWriter(endedState);
  }

  /** Columns that these tables need and the file does not have. */
  findMissing(tables: readonly RecordedTable[]): readonly string[] {
    const missing = tables.flatMap(({ series, ended = [] }) => [
      ...this.#missingOf(series),
      ...this.#missingOf(ended),
    ]);
    return [...new Set(missing)];
  }

  /** The first line of a file, line break included. */
  header(): string {
    return `${headerOf(this.#attributeColumns, this.#columns)}\n`;
  }

  /** The lines of a table's rows. */
  encode(table: RecordedTable): string {
    if (isHistograms(table)) {
      const rows = this.#histograms.encode(table);
      const ended = createHistogramEndRows(table, table.ended ?? []);
      return rows + this.#histogramEnds.encode(ended);
    }
    const rows = this.#encodeRows(table, this.#planOf(table.series));
    if (table.ended === undefined || table.ended.length === 0) return rows;
    return rows + this.#encodeRows(createEndRow(table, table.ended), this.#endPlanOf(table.ended));
  }

  #encodeRows({ series, epoch, offsets, values }: Table, plans: readonly RowPlan[]): string {
    const width = series.length;
    let text = '';
    offsets.forEach((offset, row) => {
      const time = timeText(epoch + BigInt(offset));
      for (const { shared, cells, rest } of plans) {
        text += time + shared;
        for (const { column, isInt, commas } of cells) {
          text += commas + cellText(values[row * width + column], isInt);
        }
        text += rest;
      }
    });
    return text;
  }

  #createMissing() {
    return createPlans((series: readonly AnySeries[]): readonly string[] =>
      series.flatMap(columnsOf).filter((column) => !this.#columns.includes(column)),
    );
  }

  #createRowsWriter(state: string): HistogramRowsWriter {
    return new HistogramRowsWriter(this.#columns, this.#attributeColumns, state);
  }

  #createPlans(state: string) {
    return createPlans((series: readonly Series[]): readonly RowPlan[] => {
      const rows = new Map<string, number[]>();
      for (const [column, one] of series.entries()) findOrAdd(rows, rowKey(one), () => []).push(column);
      return [...rows.values()].map((columns) => this.#planRow(series, columns, state));
    });
  }

  #planRow(series: readonly Series[], columns: readonly number[], state: string): RowPlan {
    const fields = sharedFields(series[columns[0]], state, this.#attributeColumns).map(csvField);
    const placed = columns
      .map((column) => ({
        column,
        place: this.#columns.indexOf(metricColumn(series[column].metric)),
        isInt: series[column].metric.valueType === 'int',
      }))
      .filter(({ place }) => place >= 0)
      .toSorted((a, b) => a.place - b.place);
    const cells = placed.map(({ column, isInt, place }, i) => ({
      column,
      isInt,
      commas: ','.repeat(place - (placed[i - 1]?.place ?? -1)),
    }));
    const left = this.#columns.length - 1 - (placed.at(-1)?.place ?? -1);
    return { shared: `,${fields.join(',')}`, cells, rest: `${','.repeat(left)}\n` };
  }
}

/** The columns that a series uses. */
function columnsOf(series: AnySeries): readonly string[] {
  const column = metricColumn(series.metric);
  return isHistogramSeries(series) ? [column, ...figureColumns[series.metric.kind]] : [column];
}

/** The first line of a file with these columns, without a line break. */
export function headerOf(attributeColumns: readonly string[], columns: readonly string[]): string {
  const heads = [...fixedColumns, ...attributeColumns, ...columns];
  return heads.map((head) => csvField(inertText(head))).join(',');
}

function cellText(value: number, isInt: boolean): string {
  return isInt && !Number.isNaN(value) ? intText(value) : doubleText(value);
}
