import { HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { HistogramKind, HistogramSeries } from '../model/series.js';
import { timeOf } from '../model/table.js';
import { doubleText, timeText } from './cell-text.js';
import { csvField, metricColumn, sharedFields } from './csv-columns.js';
import { figureText, parseFigure } from './figure-text.js';
import { createFigures, figuresOf, type Figures, type HistogramColumn } from './histogram-columns.js';

/** The CSV columns that histograms of a kind use, in addition to that of the metric, which holds the sum. */
export const figureColumns: Readonly<Record<HistogramKind, readonly HistogramColumn[]>> = {
  histogram: ['count', 'min', 'max', 'bounds', 'bucket_counts'],
  exponential_histogram: [
    'count',
    'min',
    'max',
    'scale',
    'zero_threshold',
    'zero_count',
    'positive_offset',
    'positive_counts',
    'negative_offset',
    'negative_counts',
  ],
};

const columnsOfAny: ReadonlySet<string> = new Set(Object.values(figureColumns).flat());

/** Whether a column is one of these. */
export function isFigureColumn(head: string): head is HistogramColumn {
  return columnsOfAny.has(head);
}

/** The positions of a series' fields, and the fields shared by all of its rows. */
interface SeriesPlan {
  readonly shared: string;
  readonly sumAt: number;
}

/** Writes histograms as rows of a file with these columns after the fixed ones. */
export class HistogramRowsWriter {
  readonly #columns: readonly string[];
  readonly #places: readonly (readonly [HistogramColumn, number])[];
  readonly #planOf: (series: HistogramSeries) => SeriesPlan;
  readonly #row = new HistogramRow();

  constructor(columns: readonly string[], attributeColumns: readonly string[], state: string) {
    this.#columns = columns;
    this.#places = columns.flatMap((head, place) => (isFigureColumn(head) ? [[head, place] as const] : []));
    this.#planOf = createPlans((series) => ({
      shared: `,${sharedFields(series, state, attributeColumns).map(csvField).join(',')},`,
      sumAt: columns.indexOf(metricColumn(series.metric)),
    }));
  }

  encode(table: HistogramTable): string {
    let text = '';
    for (const [number, series] of table.series.entries()) {
      const { shared, sumAt } = this.#planOf(series);
      const time = timeText(timeOf(table, number));
      text += time + shared + this.#cells(figuresOf(this.#row.read(table, number)), sumAt);
    }
    return text;
  }

  #cells(figures: Figures, sumAt: number): string {
    const cells = Array.from(this.#columns, () => '');
    cells[sumAt] = doubleText(figures.sum === undefined ? NaN : Number(figures.sum));
    for (const [column, place] of this.#places) cells[place] = csvField(figureText(column, figures[column]));
    return `${cells.join(',')}\n`;
  }
}

/**
 * Parses the figures of a row.
 * @param fieldOf the content of a column; undefined: no such column
 * @param sum NaN: unknown
 * @throws Error if a field is neither a number nor a list of numbers
 */
export function parseFigures(fieldOf: (column: HistogramColumn) => string | undefined, sum: number): Figures {
  return createFigures((column) => {
    if (column === 'sum') return Number.isNaN(sum) ? undefined : sum;
    const text = fieldOf(column);
    return text === undefined || text === '' ? undefined : parseFigure(column, text);
  });
}
