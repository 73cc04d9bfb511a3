import { describeError } from '../errors.js';
import type { AnySeries, HistogramMetric, Metric } from '../model/series.js';
import type { PointStream, Sink } from '../recording/decoder.js';
import { parseFigure } from '../recording/figure-text.js';
import {
  createFigures,
  histogramColumns,
  rowOfFigures,
  type Figure,
} from '../recording/histogram-columns.js';
import { parseAttributes } from '../recording/otlp-json.js';
import { isHistogramSeries, isNumberSeries } from '../recording/recorded-series.js';
import type { SqliteDatabase, SqliteValue } from './sqlite-database.js';
import { selectHistograms, selectHistogramTable, selectPoints, selectSeries } from './sqlite-tables.js';

/** Points that are read before yielding. */
const pointsAtATime = 50_000;

interface Ended {
  readonly series: AnySeries;
  readonly at: bigint;
}

/** Reads what the exporter `sqlite` wrote, in time order. */
export class SqliteDecoder {
  readonly #sink: Sink;
  readonly #stream: PointStream;
  readonly #series = new Map<SqliteValue, AnySeries>();
  /** Last one first. */
  #ended: Ended[] = [];
  #orphans = 0;

  constructor(sink: Sink, stream: PointStream) {
    this.#sink = sink;
    this.#stream = stream;
  }

  /**
   * Reads a database, some rows at a time.
   * @throws SqliteError if it has no such tables, or cannot be read
   */
  *read(database: SqliteDatabase): Iterable<void> {
    this.#readSeries(database);
    const histograms = openHistograms(database);
    let read = 0;
    const isTimeToPause = (): boolean => ++read % pointsAtATime === 0;
    for (const row of database.prepare(selectPoints).rows()) {
      while (histograms.isNextBefore(row[1])) {
        this.#takeHistogram(histograms.take());
        if (isTimeToPause()) yield;
      }
      this.#takePoint(row);
      if (isTimeToPause()) yield;
    }
    while (histograms.isNextBefore(undefined)) {
      this.#takeHistogram(histograms.take());
      if (isTimeToPause()) yield;
    }
    for (let last = this.#ended.pop(); last; last = this.#ended.pop()) this.#stream.end(last.series, last.at);
    const orphans = this.#orphans;
    if (orphans > 0)
      this.#sink.malformed(`expected the series of every point, found ${orphans} points without`);
  }

  #readSeries(database: SqliteDatabase): void {
    const ended: Ended[] = [];
    for (const row of database.prepare(selectSeries).rows()) {
      try {
        const series = this.#createSeries(row);
        this.#series.set(row[0] ?? null, series);
        const at = row.at(-1);
        if (typeof at === 'bigint') ended.push({ series, at });
      } catch (error) {
        this.#sink.malformed(describeError(error));
      }
    }
    this.#ended = ended.toSorted((a, b) => (a.at > b.at ? -1 : a.at < b.at ? 1 : 0));
  }

  #createSeries(row: readonly SqliteValue[]): AnySeries {
    const [, name, unit, kind, type, description, resource, attributes, start] = row;
    const metric = this.#stream.book.metric(metricOf({ name, unit, description, kind, type }));
    return {
      metric,
      resource: this.#stream.book.resource(parseAttributes(String(resource))),
      attributes: this.#stream.book.attributes(parseAttributes(String(attributes))),
      start: typeof start === 'bigint' ? start : 0n,
    };
  }

  #takePoint([id = null, time, value]: readonly SqliteValue[]): void {
    const series = this.#series.get(id);
    if (series === undefined || !isNumberSeries(series) || typeof time !== 'bigint') {
      this.#orphans += 1;
      return;
    }
    this.#endBefore(time);
    this.#stream.add(this.#stream.open(series, time), time, numberOf(value));
  }

  #takeHistogram([id = null, time, ...cells]: readonly SqliteValue[]): void {
    const series = this.#series.get(id);
    if (series === undefined || !isHistogramSeries(series) || typeof time !== 'bigint') {
      this.#orphans += 1;
      return;
    }
    try {
      const figures = createFigures((column) => figureOf(column, cells[histogramColumns.indexOf(column)]));
      const row = rowOfFigures(series.metric.kind, figures);
      this.#endBefore(time);
      this.#stream.addHistogram(this.#stream.open(series, time), time, row);
    } catch (error) {
      this.#sink.malformed(`Cannot read histogram "${series.metric.name}": ${describeError(error)}`);
    }
  }

  #endBefore(at: bigint): void {
    for (let last = this.#ended.at(-1); last && last.at < at; last = this.#ended.at(-1)) {
      this.#ended.pop();
      this.#stream.end(last.series, last.at);
    }
  }
}

/** The histograms of a database in time order, merged with its points. */
function openHistograms(database: SqliteDatabase) {
  const [table] = database.prepare(selectHistogramTable).rows();
  const rows = table === undefined ? [] : database.prepare(selectHistograms).rows();
  const iterator = rows[Symbol.iterator]();
  let next = iterator.next();
  return {
    /** @param at undefined: whether there is another one */
    isNextBefore: (at: SqliteValue | undefined): boolean => !next.done && !isLater(next.value[1], at),
    take(): readonly SqliteValue[] {
      const row: readonly SqliteValue[] = next.done ? [] : next.value;
      next = iterator.next();
      return row;
    },
  };
}

/** Whether an instant is not before another one. Invalid instants are reported and treated as due. */
function isLater(one: SqliteValue | undefined, other: SqliteValue | undefined): boolean {
  return typeof one === 'bigint' && typeof other === 'bigint' && one >= other;
}

/** A cell with a number, or with the text of a list. */
function figureOf(column: (typeof histogramColumns)[number], cell: SqliteValue | undefined): Figure {
  if (cell === null || cell === undefined) return undefined;
  return typeof cell === 'string' ? parseFigure(column, cell) : Number(cell);
}

interface MetricCells {
  readonly name: SqliteValue | undefined;
  readonly unit: SqliteValue | undefined;
  readonly description: SqliteValue | undefined;
  readonly kind: SqliteValue | undefined;
  readonly type: SqliteValue | undefined;
}

function metricOf({ name, unit, description, kind, type }: MetricCells): Metric | HistogramMetric {
  const texts = { name: String(name), unit: String(unit), description: String(description) };
  if (kind === 'histogram' || kind === 'exponential_histogram') return { ...texts, kind };
  if (kind === 'gauge' || kind === 'counter' || kind === 'updowncounter')
    return { ...texts, kind, valueType: type === 'int' ? 'int' : 'double' };
  throw new Error(
    `expected a series of kind gauge, counter, updowncounter, histogram or exponential_histogram, found "${kind}"`,
  );
}

/** Null is a gap. */
function numberOf(value: SqliteValue | undefined): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : NaN;
}
