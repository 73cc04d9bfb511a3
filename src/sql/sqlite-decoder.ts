import { describeError } from '../errors.js';
import type { Metric, Series } from '../model/series.js';
import type { PointStream, Sink } from '../recording/decoder.js';
import { parseAttributes } from '../recording/otlp-json.js';
import type { SqliteDatabase, SqliteValue } from './sqlite-database.js';
import { selectPoints, selectSeries } from './sqlite-tables.js';

/** Points that are read without letting others take what was read. */
const pointsAtATime = 50_000;

interface Ended {
  readonly series: Series;
  readonly at: bigint;
}

/** Reads what the exporter `sqlite` wrote, in the order of its instants. */
export class SqliteDecoder {
  readonly #sink: Sink;
  readonly #stream: PointStream;
  readonly #series = new Map<SqliteValue, Series>();
  /** The last one first. */
  #ended: Ended[] = [];

  constructor(sink: Sink, stream: PointStream) {
    this.#sink = sink;
    this.#stream = stream;
  }

  /**
   * Reads a database, some rows at a time.
   * @throws SqliteError when it has no such tables, or cannot be read
   */
  *read(database: SqliteDatabase): Iterable<void> {
    this.#readSeries(database);
    let orphans = 0;
    let read = 0;
    for (const [id = null, time, value] of database.prepare(selectPoints).rows()) {
      const series = this.#series.get(id);
      if (series === undefined || typeof time !== 'bigint') orphans += 1;
      else this.#take(series, time, numberOf(value));
      read += 1;
      if (read % pointsAtATime === 0) yield;
    }
    for (let last = this.#ended.pop(); last; last = this.#ended.pop()) this.#stream.end(last.series, last.at);
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

  #createSeries(row: readonly SqliteValue[]): Series {
    const [, name, unit, kind, type, description, resource, attributes, start] = row;
    const metric = this.#stream.book.metric({
      name: String(name),
      unit: String(unit),
      description: String(description),
      kind: kindOf(kind),
      valueType: type === 'int' ? 'int' : 'double',
    });
    return {
      metric,
      resource: this.#stream.book.resource(parseAttributes(String(resource))),
      attributes: this.#stream.book.attributes(parseAttributes(String(attributes))),
      start: typeof start === 'bigint' ? start : 0n,
    };
  }

  #take(series: Series, at: bigint, value: number): void {
    for (let last = this.#ended.at(-1); last && last.at < at; last = this.#ended.at(-1)) {
      this.#ended.pop();
      this.#stream.end(last.series, last.at);
    }
    this.#stream.add(this.#stream.open(series, at), at, value);
  }
}

function kindOf(kind: SqliteValue | undefined): Metric['kind'] {
  if (kind === 'gauge' || kind === 'counter' || kind === 'updowncounter') return kind;
  throw new Error(`expected a series of kind gauge, counter or updowncounter, found "${kind}"`);
}

/** Null is a gap. */
function numberOf(value: SqliteValue | undefined): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : NaN;
}
