import type { QueuedRequest, StoredBytes } from '../component/queue-storage.js';
import { HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { HistogramSeries, Series } from '../model/series.js';
import { timeOf, type Table } from '../model/table.js';
import { BufferPool } from './buffer-pool.js';
import { createDivisible, divideLines } from './divisible-request.js';
import { LineWriter } from './line-writer.js';
import { requestLimits, type BatchConfig, type Encoder, type RequestLimits } from './queued-exporter.js';

/** What the lines of a series have in common. */
export interface SeriesText {
  /** The text before the value in each line; built once. */
  readonly text: string;
  /** The value, which is not NaN, in ASCII; undefined if the format cannot express it: the point is left out. */
  formatValue(value: number): string | undefined;
}

/**
 * A format in which each point is a line, or the same small number of lines, each with a line feed at its end:
 * InfluxDB's line protocol, JSON lines, Elasticsearch's bulk requests, PostgreSQL's COPY, ClickHouse's TSV. A
 * point reads `startRow(time)`, the text of its series, its value, `endRow(time)`. Only the text of `endRow`
 * may contain a line feed.
 */
export interface LineFormat {
  /** Lines per point; 1 by default. */
  readonly linesPerPoint?: number;
  /** The start of each point of a row; empty by default. Called once per row. */
  startRow?(unixNs: bigint): string;
  /** Undefined: the series is left out. Called once per array of series. */
  describeSeries(series: Series): SeriesText | undefined;
  /** The end of each point of a row, with its line feed. Called once per row. */
  endRow(unixNs: bigint): string;
  /** The complete lines of a histogram, if the format supports them; undefined: it is left out. Not called for gaps. */
  formatHistogram?(series: HistogramSeries, unixNs: bigint, row: HistogramRow): string | undefined;
}

/** The parts of a `QueuedExporter` that sends such lines. Add `openSender`. */
export function createLineParts(format: LineFormat, batch: Pick<BatchConfig, 'max_points' | 'max_bytes'>) {
  return {
    createEncoder: (emit: (request: QueuedRequest) => void): Encoder =>
      new LineBatcher(format, requestLimits(batch), emit),
    restore: createLineRequest(format),
  };
}

function createLineRequest({ linesPerPoint = 1 }: LineFormat): (stored: StoredBytes) => QueuedRequest {
  return createDivisible(divideLines(linesPerPoint));
}

interface LinePlan {
  /** The columns of the series that are not left out. */
  readonly columns: Uint32Array;
  readonly texts: readonly Uint8Array[];
  readonly formats: readonly SeriesText['formatValue'][];
}

function createLinePlan(format: LineFormat, series: readonly Series[]): LinePlan {
  const described = series.flatMap((one, column) => {
    const text = format.describeSeries(one);
    return text === undefined ? [] : [{ column, text }];
  });
  return {
    columns: Uint32Array.from(described, ({ column }) => column),
    texts: described.map(({ text }) => Buffer.from(text.text)),
    formats: described.map(({ text }) => text.formatValue),
  };
}

/** Builds requests of lines, with limits on points and bytes. Gaps are left out. */
export class LineBatcher implements Encoder {
  readonly #format: LineFormat;
  readonly #limits: RequestLimits;
  readonly #emit: (request: QueuedRequest) => void;
  readonly #planOf: (series: readonly Series[]) => LinePlan;
  readonly #createRequest: (stored: StoredBytes) => QueuedRequest;
  readonly #pool = new BufferPool();
  readonly #writer = new LineWriter();
  readonly #histogram = new HistogramRow();
  #points = 0;
  /** Absent if the format has no histograms. */
  readonly addHistograms?: (table: HistogramTable) => void;

  /** @param emit receives every full request, and the rest at every flush */
  constructor(format: LineFormat, limits: RequestLimits, emit: (request: QueuedRequest) => void) {
    this.#format = format;
    this.#limits = limits;
    this.#emit = emit;
    this.#planOf = createPlans((series) => createLinePlan(format, series));
    this.#createRequest = createLineRequest(format);
    if (format.formatHistogram !== undefined) this.addHistograms = (table) => this.#addHistograms(table);
  }

  /** Points that wait for a full request. */
  get points(): number {
    return this.#points;
  }

  add(table: Table): void {
    const plan = this.#planOf(table.series);
    if (plan.columns.length === 0) return;
    for (let row = 0; row < table.offsets.length; row += 1) this.#addRow(plan, table, row);
  }

  flush(): void {
    if (this.#points === 0) return;
    const bytes = this.#writer.take((length) => this.#pool.take(length));
    const request = this.#createRequest({ bytes, points: this.#points });
    this.#points = 0;
    this.#emit({ ...request, release: () => this.#pool.give(bytes) });
  }

  #addRow({ columns, texts, formats }: LinePlan, table: Table, row: number): void {
    const unixNs = timeOf(table, row);
    const start = Buffer.from(this.#format.startRow?.(unixNs) ?? '');
    const end = Buffer.from(this.#format.endRow(unixNs));
    const firstCell = row * table.series.length;
    const writer = this.#writer;
    for (let i = 0; i < columns.length; i += 1) {
      const value = table.values[firstCell + columns[i]];
      const valueText = Number.isNaN(value) ? undefined : formats[i](value);
      if (valueText === undefined) continue;
      this.#begin(start.length + texts[i].length + valueText.length + end.length);
      if (start.length > 0) writer.bytes(start);
      writer.bytes(texts[i]);
      writer.ascii(valueText);
      writer.bytes(end);
    }
  }

  #addHistograms(table: HistogramTable): void {
    for (let number = 0; number < table.series.length; number += 1) {
      const row = this.#histogram.read(table, number);
      if (Number.isNaN(row.count)) continue;
      const unixNs = table.epoch + BigInt(table.offsets[number]);
      const text = this.#format.formatHistogram?.(table.series[number], unixNs, row);
      if (text === undefined) continue;
      const bytes = Buffer.from(text);
      this.#begin(bytes.length);
      this.#writer.bytes(bytes);
    }
  }

  /** Starts a point. One that is longer than the maximum request is sent alone. */
  #begin(bytes: number): void {
    const { maxPoints, maxBytes } = this.#limits;
    if (this.#points >= maxPoints || this.#writer.length + bytes > maxBytes) this.flush();
    this.#writer.reserve(bytes);
    this.#points += 1;
  }
}
