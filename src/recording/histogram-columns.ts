import { findHistogramProblem } from '../model/check-histograms.js';
import {
  bucketless,
  bucketlessExponential,
  HistogramRow,
  type HistogramLayout,
} from '../model/histogram-table.js';
import type { HistogramKind } from '../model/series.js';

// A histogram as cells of a row: its columns in CSV, Parquet and SQLite, apart from series and instant.

/** The columns of a histogram, with names as in OTLP. */
export const histogramColumns = [
  'count',
  'sum',
  'min',
  'max',
  'bounds',
  'bucket_counts',
  'scale',
  'zero_threshold',
  'zero_count',
  'positive_offset',
  'positive_counts',
  'negative_offset',
  'negative_counts',
] as const;

export type HistogramColumn = (typeof histogramColumns)[number];

/** The content of a histogram column: a number, a list of numbers, or nothing. */
export type Figure = number | Float64Array | undefined;

export type Figures = Readonly<Record<HistogramColumn, Figure>>;

/** Columns with lists. */
export const listColumns: ReadonlySet<HistogramColumn> = new Set([
  'bounds',
  'bucket_counts',
  'positive_counts',
  'negative_counts',
]);

/** Columns with whole numbers, or lists of them. */
export const wholeColumns: ReadonlySet<HistogramColumn> = new Set([
  'count',
  'bucket_counts',
  'scale',
  'zero_count',
  'positive_offset',
  'positive_counts',
  'negative_offset',
  'negative_counts',
]);

/** A gap: all columns are empty. */
export const noFigures: Figures = createFigures(() => undefined);

/** Figures by their columns. */
export function createFigures(figureOf: (column: HistogramColumn) => Figure): Figures {
  // Every column is present.
  return Object.fromEntries(histogramColumns.map((column) => [column, figureOf(column)])) as Figures;
}

/** The content of a row by column. Lists share memory with its buckets. */
export function figuresOf({ count, sum, min, max, layout, buckets }: HistogramRow): Figures {
  if (Number.isNaN(count)) return noFigures;
  const summary = { ...noFigures, count, sum: knownOf(sum), min: knownOf(min), max: knownOf(max) };
  if (layout.kind === 'histogram') return { ...summary, bounds: layout.bounds, bucket_counts: buckets };
  const negativeFrom = 1 + layout.positiveCount;
  return {
    ...summary,
    scale: layout.scale,
    zero_threshold: layout.zeroThreshold,
    zero_count: buckets[0],
    positive_offset: layout.positiveOffset,
    positive_counts: buckets.subarray(1, negativeFrom),
    negative_offset: layout.negativeOffset,
    negative_counts: buckets.subarray(negativeFrom),
  };
}

function knownOf(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}

/** The layouts of rows without a reading. */
export const emptyLayouts: Readonly<Record<HistogramKind, HistogramLayout>> = {
  histogram: bucketless,
  exponential_histogram: bucketlessExponential,
};

/** Offsets and scales have 32 bits in OTLP. */
const maxSigned = 2 ** 31;
const noNumbers = new Float64Array(0);

/**
 * Converts figures to a row.
 * @throws Error if they are not a histogram of this kind
 */
export function rowOfFigures(kind: HistogramKind, figures: Figures): HistogramRow {
  const row = new HistogramRow();
  if (histogramColumns.every((column) => figures[column] === undefined)) return row.clear(emptyLayouts[kind]);
  row.count = requireNumber(figures, 'count');
  row.sum = optionalOf(figures, 'sum');
  row.min = optionalOf(figures, 'min');
  row.max = optionalOf(figures, 'max');
  if (kind === 'histogram') readExplicit(row, figures);
  else readExponential(row, figures);
  return checkRow(row);
}

/**
 * Returns the row.
 * @throws Error if it is not a valid histogram
 */
export function checkRow(row: HistogramRow): HistogramRow {
  const problem = findHistogramProblem(row) ?? findScaleProblem(row.layout);
  if (problem !== undefined) throw new Error(problem);
  return row;
}

function findScaleProblem(layout: HistogramLayout): string | undefined {
  if (layout.kind === 'histogram') return undefined;
  const { scale, positiveOffset, negativeOffset, zeroThreshold } = layout;
  const wrong = [scale, positiveOffset, negativeOffset].find(
    (value) => !Number.isInteger(value) || value < -maxSigned || value >= maxSigned,
  );
  if (wrong !== undefined) return `expected a scale and offsets of 32 bits, found ${wrong}`;
  const isThreshold = zeroThreshold >= 0 && zeroThreshold < Infinity;
  return isThreshold ? undefined : `expected a threshold of zero of at least 0, found ${zeroThreshold}`;
}

function readExplicit(row: HistogramRow, figures: Figures): void {
  const bounds = listOf(figures, 'bounds');
  row.layout = bounds.length === 0 ? bucketless : { kind: 'histogram', bounds };
  row.buckets = listOf(figures, 'bucket_counts');
}

function readExponential(row: HistogramRow, figures: Figures): void {
  const [positive, negative] = [listOf(figures, 'positive_counts'), listOf(figures, 'negative_counts')];
  row.layout = {
    kind: 'exponential_histogram',
    scale: requireNumber(figures, 'scale'),
    zeroThreshold: requireNumber(figures, 'zero_threshold'),
    positiveOffset: requireNumber(figures, 'positive_offset'),
    positiveCount: positive.length,
    negativeOffset: requireNumber(figures, 'negative_offset'),
    negativeCount: negative.length,
  };
  row.buckets = Float64Array.of(requireNumber(figures, 'zero_count'), ...positive, ...negative);
}

function requireNumber(figures: Figures, column: HistogramColumn): number {
  const figure = figures[column];
  if (typeof figure === 'number') return figure;
  throw new Error(`expected a number in the column "${column}" of a histogram, found none`);
}

function optionalOf(figures: Figures, column: HistogramColumn): number {
  const figure = figures[column];
  return typeof figure === 'number' ? figure : NaN;
}

function listOf(figures: Figures, column: HistogramColumn): Float64Array {
  const figure = figures[column];
  return typeof figure === 'object' ? figure : noNumbers;
}
