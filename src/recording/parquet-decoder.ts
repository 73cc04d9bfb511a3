import {
  parquetMetadataAsync,
  parquetReadObjects,
  type AsyncBuffer,
  type FileMetaData,
  type ParquetRow,
} from 'hyparquet';
import { describeError } from '../errors.js';
import { findOrAdd } from '../model/plan.js';
import type { AnySeries, Attributes, HistogramMetric, Metric, Resource } from '../model/series.js';
import { endedState } from './cell-text.js';
import type { PointStream, Sink } from './decoder.js';
import {
  createFigures,
  histogramColumns,
  listColumns,
  rowOfFigures,
  type Figure,
  type HistogramColumn,
} from './histogram-columns.js';
import { parseAttributes } from './otlp-json.js';
import { checkMetadata, checkPages, orDamaged } from './parquet-check.js';
import { parquetColumns } from './parquet-columns.js';
import { isHistogramSeries, isNumberSeries } from './recorded-series.js';

/** Row groups of any size are read in pieces. */
const rowsAtATime = 50_000;

const parsers = {
  timestampFromNanoseconds: (nanos: bigint) => nanos,
  // Other writers may truncate instants to microseconds.
  timestampFromMicroseconds: (micros: bigint) => micros * 1000n,
  timestampFromMilliseconds: (millis: bigint) => millis * 1_000_000n,
};

/** Reads the Parquet files of `ParquetEncoder`, one after the other. */
export class ParquetDecoder {
  readonly #sink: Sink;
  readonly #stream: PointStream;
  readonly #resources = new Map<string, Resource>();
  readonly #attributes = new Map<string, Attributes>();

  constructor(sink: Sink, stream: PointStream) {
    this.#sink = sink;
    this.#stream = stream;
  }

  /**
   * Reads a file, some rows at a time.
   * @throws Error if it is not a Parquet file, or has other columns
   */
  async *read(file: AsyncBuffer): AsyncIterable<void> {
    const metadata = await orDamaged(() => parquetMetadataAsync(file, { parsers }));
    checkColumns(metadata);
    checkMetadata(metadata, file.byteLength);
    let first = 0;
    for (const { columns, num_rows: rows } of metadata.row_groups) {
      const end = first + Number(rows);
      await orDamaged(() =>
        checkPages(
          file,
          columns.map(({ meta_data: column }) => column),
        ),
      );
      for (; first < end; first = Math.min(first + rowsAtATime, end)) {
        yield* this.#readRows({
          file,
          metadata,
          rowStart: first,
          rowEnd: Math.min(first + rowsAtATime, end),
        });
      }
    }
  }

  async *#readRows(
    range: Parameters<typeof parquetReadObjects>[0] & { readonly metadata: FileMetaData },
  ): AsyncIterable<void> {
    const columns = [...parquetColumns, ...(hasHistograms(range.metadata) ? histogramColumns : [])];
    const rows = await orDamaged(() => parquetReadObjects({ ...range, columns, parsers }));
    for (const row of rows) this.#readRow(row);
    yield;
  }

  #readRow(row: ParquetRow): void {
    try {
      this.#takeRow(row);
    } catch (error) {
      this.#sink.malformed(describeError(error));
    }
  }

  #takeRow(row: ParquetRow): void {
    const { time, start_time: start, value, state } = row;
    if (typeof time !== 'bigint')
      throw new Error(`expected an instant in the column "time", found ${describeCell(time)}`);
    const record: AnySeries = {
      metric: this.#stream.book.metric(metricOf(row)),
      resource: findOrAdd(this.#resources, String(row['resource']), (text) =>
        this.#stream.book.resource(parseAttributes(text)),
      ),
      attributes: findOrAdd(this.#attributes, String(row['attributes']), (text) =>
        this.#stream.book.attributes(parseAttributes(text)),
      ),
      start: typeof start === 'bigint' ? start : 0n,
    };
    if (state === endedState) this.#stream.end(record, time);
    else if (isNumberSeries(record)) this.#stream.add(this.#stream.open(record, time), time, numberOf(value));
    else if (isHistogramSeries(record)) {
      const figures = rowOfFigures(
        record.metric.kind,
        createFigures((column) => figureOf(row, column)),
      );
      this.#stream.addHistogram(this.#stream.open(record, time), time, figures);
    }
  }
}

/** Whether a file has all histogram columns. */
function hasHistograms({ schema }: FileMetaData): boolean {
  const names = new Set(schema.map(({ name }) => name));
  return histogramColumns.every((column) => names.has(column));
}

/** A figure of a row; undefined if the column is null. @throws Error if it should be a list and is not */
function figureOf(row: ParquetRow, column: HistogramColumn): Figure {
  const cell: unknown = row[column];
  if (cell === undefined || cell === null) return undefined;
  if (!listColumns.has(column)) return numberOf(cell);
  if (Array.isArray(cell)) return Float64Array.from(cell as readonly unknown[], numberOf);
  throw new Error(`expected a list in the column "${column}", found ${describeCell(cell)}`);
}

function checkColumns({ schema }: FileMetaData): void {
  const names = new Set(schema.map(({ name }) => name));
  const missing = parquetColumns.filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new Error(`expected the columns of a recording, found none named "${missing.join('", "')}"`);
}

/** Data frames write whole numbers as 64-bit integers. A missing value is a gap. */
function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : NaN;
}

function metricOf({ metric: name, unit, kind, type, description }: ParquetRow): Metric | HistogramMetric {
  if (typeof name !== 'string')
    throw new Error(`expected a text in the column "metric", found ${describeCell(name)}`);
  const texts = {
    name,
    unit: typeof unit === 'string' ? unit : '',
    description: typeof description === 'string' ? description : '',
  };
  if (kind === 'histogram' || kind === 'exponential_histogram') return { ...texts, kind };
  if (kind === 'gauge' || kind === 'counter' || kind === 'updowncounter')
    return { ...texts, kind, valueType: type === 'int' ? 'int' : 'double' };
  throw new Error(
    `expected gauge, counter, updowncounter, histogram or exponential_histogram in the column "kind", found ${describeCell(kind)}`,
  );
}

function describeCell(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'string' ? JSON.stringify(value) : `a ${typeof value}`;
}
