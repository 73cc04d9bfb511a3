import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { ByteWriter } from './byte-writer.js';
import { createEndRow } from './end-row.js';
import {
  beforeDouble,
  beforeInt,
  beforeText,
  between,
  createJsonPlan,
  gapPointTail,
  pointTail,
  quotedPointTail,
  resourcesHead,
  resourcesTail,
  resourceTail,
  type JsonMetric,
  type JsonPoint,
  type JsonResource,
  type JsonRun,
} from './json-lines-plan.js';
import { doubleText, intText } from './number-text.js';

/** The Collector's otlpjsonfile receiver cuts lines beyond 1 MiB. */
const maxLineBytes = 1_000_000;

/** Some rows of a table. */
interface Rows {
  readonly table: Table;
  readonly from: number;
  readonly to: number;
  /** Digits of the Unix time in nanoseconds, one per row of the table. */
  readonly times: readonly string[];
  /** Without a value points end their series, rather than being gaps. */
  readonly isEnding: boolean;
}

/**
 * Writes tables as OTLP JSON, as the Collector's file exporter does: each line is one MetricsData object. A table is
 * one line, unless it would be longer than other readers take.
 */
export class JsonLinesEncoder {
  readonly #writer = new ByteWriter();
  readonly #maxLineBytes: number;
  readonly #planOf: (series: readonly Series[]) => readonly JsonRun[];

  constructor(lineBytes = maxLineBytes) {
    this.#maxLineBytes = lineBytes;
    this.#planOf = createPlans((series) => createJsonPlan(series, lineBytes));
  }

  /** Bytes that were not taken yet. */
  get length(): number {
    return this.#writer.length;
  }

  /** Writes the rows of a table, then a point without a value for each series that ended. */
  add(table: Table): void {
    if (table.values.length > 0) this.#addRows(table, false);
    if (table.ended !== undefined && table.ended.length > 0)
      this.#addRows(createEndRow(table, table.ended), true);
  }

  /** What was written: whole lines. */
  take(): Buffer {
    return this.#writer.take();
  }

  #addRows(table: Table, isEnding: boolean): void {
    const times = Array.from(table.offsets, (offset) => String(table.epoch + BigInt(offset)));
    for (const run of this.#planOf(table.series)) {
      const room = this.#maxLineBytes - run.frameBytes;
      const count = Math.max(1, Math.floor(room / run.rowBytes));
      for (let from = 0; from < times.length; from += count) {
        this.#addLine(run, { table, from, to: Math.min(from + count, times.length), times, isEnding });
      }
    }
  }

  #addLine({ resources }: JsonRun, rows: Rows): void {
    const writer = this.#writer;
    writer.bytes(resourcesHead);
    for (const resource of resources) this.#addResource(resource, rows);
    writer.dropLast();
    writer.bytes(resourcesTail);
  }

  #addResource({ head, metrics }: JsonResource, rows: Rows): void {
    const writer = this.#writer;
    writer.bytes(head);
    for (const metric of metrics) this.#addMetric(metric, rows);
    writer.dropLast();
    writer.bytes(resourceTail);
    writer.bytes(between);
  }

  #addMetric({ head, tail, gapTail, points }: JsonMetric, rows: Rows): void {
    const { table, from, to, times, isEnding } = rows;
    const writer = this.#writer;
    const width = table.series.length;
    let gaps = 0;
    writer.bytes(head);
    for (let row = from; row < to; row += 1) {
      for (const point of points) {
        const value = table.values[row * width + point.column];
        if (Number.isNaN(value)) gaps += 1;
        this.#addPoint(point, times[row], value);
      }
    }
    writer.dropLast();
    writer.bytes(gaps > 0 && !isEnding ? gapTail : tail);
    writer.bytes(between);
  }

  #addPoint({ head, isInt }: JsonPoint, time: string, value: number): void {
    const writer = this.#writer;
    writer.bytes(head);
    writer.ascii(time);
    if (Number.isNaN(value)) writer.bytes(gapPointTail);
    else if (isInt) this.#addValue(beforeInt, intText(value), quotedPointTail);
    else if (Number.isFinite(value)) this.#addValue(beforeDouble, doubleText(value), pointTail);
    else this.#addValue(beforeText, String(value), quotedPointTail);
    writer.bytes(between);
  }

  #addValue(before: Buffer, value: string, tail: Buffer): void {
    this.#writer.bytes(before);
    this.#writer.ascii(value);
    this.#writer.bytes(tail);
  }
}
