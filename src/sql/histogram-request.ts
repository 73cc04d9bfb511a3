import { createDivisible, divideLines } from '../export/divisible-request.js';
import { figureText, numbersOf } from '../recording/figure-text.js';
import {
  createFigures,
  histogramColumns,
  listColumns,
  type Figure,
  type Figures,
  type HistogramColumn,
} from '../recording/histogram-columns.js';
import type { EncodedSeries } from './series-record.js';

// A request of histograms to a database: a self-contained line of JSON each.
//
//   [id, instant, series, figures]
//
// Id and instant are strings, since they have 64 bits; the series is that of `encodeSeries`; the figures are in
// the order of the columns, with infinities as strings. Without figures, the series ended.

/** A histogram of a request. */
export interface HistogramEntry {
  readonly series: EncodedSeries;
  /** Unix time in nanoseconds. */
  readonly at: bigint;
  /** Undefined: the series ended. */
  readonly figures: Figures | undefined;
}

const firstByte = 0x5b;

/** Whether a request contains histograms; others are described in `sql-request.ts`. */
export function isHistogramRequest(bytes: Uint8Array): boolean {
  return bytes[0] === firstByte;
}

/** The line of a histogram. */
export function histogramLine({ series: { id, text }, at, figures }: HistogramEntry): string {
  const cells = figures && histogramColumns.map((column) => cellText(column, figures[column])).join(',');
  return `["${id}","${at}",${text.toString()},${cells === undefined ? 'null' : `[${cells}]`}]\n`;
}

function cellText(column: HistogramColumn, figure: Figure): string {
  if (figure === undefined) return 'null';
  const isJson = typeof figure !== 'number' || Number.isFinite(figure);
  return isJson ? figureText(column, figure) : `"${figure}"`;
}

/** A request that can be halved until it is a single histogram. */
export const createHistogramRequest = createDivisible(divideLines(1));

/**
 * Parses a request.
 * @throws Error if the bytes are invalid
 */
export function parseHistogramRequest(bytes: Uint8Array): readonly HistogramEntry[] {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString().split('\n');
  if (lines.pop() !== '') throw otherBytes();
  return lines.map(parseLine);
}

function parseLine(line: string): HistogramEntry {
  const [id, at, series, cells] = parseList(line);
  if (!isWhole(id) || !isWhole(at) || !Array.isArray(series)) throw otherBytes();
  const text = Buffer.from(JSON.stringify(series));
  return { series: { id: BigInt(id), text }, at: BigInt(at), figures: parseCells(cells) };
}

function parseList(line: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(line);
    return Array.isArray(list) ? list : [];
  } catch (error) {
    throw otherBytes(error);
  }
}

function isWhole(value: unknown): value is string {
  return typeof value === 'string' && /^-?\d{1,20}$/u.test(value);
}

function parseCells(cells: unknown): Figures | undefined {
  if (cells === null) return undefined;
  if (!Array.isArray(cells) || cells.length !== histogramColumns.length) throw otherBytes();
  const found: readonly unknown[] = cells;
  return createFigures((column) => parseCell(column, found[histogramColumns.indexOf(column)]));
}

function parseCell(column: HistogramColumn, cell: unknown): Figure {
  if (cell === null) return undefined;
  const figure = listColumns.has(column) ? numbersOf(cell) : Number(cell);
  if (figure === undefined || Number.isNaN(figure)) throw otherBytes();
  return figure;
}

function otherBytes(cause?: unknown): Error {
  return new Error('expected a request of histograms to a database, found other bytes', { cause });
}
