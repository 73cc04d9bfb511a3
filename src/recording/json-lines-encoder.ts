import { LineWriter } from '../export/line-writer.js';
import type { HistogramTable } from '../model/histogram-table.js';
import { createPlans } from '../model/plan.js';
import type { Series } from '../model/series.js';
import { endDelayNs, type Table } from '../model/table.js';
import { createEndRow, createHistogramEndRows, doubleText, intText } from './cell-text.js';
import { histogramLines } from './json-histogram-lines.js';
import {
  beforeDouble,
  beforeInt,
  beforeText,
  createJsonPlan,
  gapText,
  resourcesHead,
  resourcesTail,
  resourceTail,
  type JsonMetric,
  type JsonPoint,
  type JsonResource,
  type JsonRun,
} from './json-lines-plan.js';
import { isHistograms, type RecordedTable } from './recorded-table.js';

/** The Collector's otlpjsonfile receiver truncates lines beyond 1 MiB. */
const maxLineBytes = 1_000_000;
/** Size of what surrounds all resources. */
const frameRestBytes = 64;

/** Some rows of a table. */
interface Rows {
  readonly table: Table;
  readonly from: number;
  readonly to: number;
  /** Digits of the Unix time in nanoseconds, one text per row. */
  readonly times: readonly string[];
  /** Points without a value end their series; otherwise they are gaps. */
  readonly isEnding: boolean;
}

/**
 * Writes tables as OTLP JSON, like the Collector's file exporter: each line is one MetricsData object. A table
 * is one line, unless that would exceed the maximum of other readers.
 */
export class JsonLinesEncoder {
  readonly #writer = new LineWriter();
  readonly #maxLineBytes: number;
  readonly #planOf: (series: readonly Series[]) => readonly JsonRun[];

  constructor(lineBytes = maxLineBytes) {
    this.#maxLineBytes = lineBytes;
    this.#planOf = createPlans((series) => createJsonPlan(series, lineBytes));
  }

  /** Writes the rows of a table, then a point without a value for each series that ended. */
  add(table: RecordedTable): void {
    if (isHistograms(table)) {
      this.#addHistograms(table);
      return;
    }
    if (table.values.length > 0) this.#addRows(table, false);
    if (table.ended === undefined || table.ended.length === 0) return;
    const row = createEndRow(table, table.ended);
    this.#addRows({ ...row, epoch: row.epoch + endDelayNs }, true);
  }

  /** Returns what was written: complete lines. */
  take(): Buffer {
    return this.#writer.take();
  }

  #addHistograms(table: HistogramTable): void {
    this.#addLines(histogramLines(table, this.#maxLineBytes));
    if (table.ended === undefined || table.ended.length === 0) return;
    const rows = createHistogramEndRows(table, table.ended);
    this.#addLines(histogramLines({ ...rows, epoch: rows.epoch + endDelayNs }, this.#maxLineBytes, true));
  }

  #addLines(lines: string): void {
    const bytes = Buffer.from(lines);
    this.#writer.reserve(bytes.length);
    this.#writer.bytes(bytes);
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

  #addLine({ resources, rowBytes, frameBytes }: JsonRun, rows: Rows): void {
    const writer = this.#writer;
    writer.reserve(rowBytes * (rows.to - rows.from) + frameBytes + frameRestBytes);
    writer.bytes(resourcesHead);
    for (const [i, resource] of resources.entries()) {
      if (i > 0) writer.comma();
      this.#addResource(resource, rows);
    }
    writer.bytes(resourcesTail);
  }

  #addResource({ head, metrics }: JsonResource, rows: Rows): void {
    const writer = this.#writer;
    writer.bytes(head);
    for (const [i, metric] of metrics.entries()) {
      if (i > 0) writer.comma();
      this.#addMetric(metric, rows);
    }
    writer.bytes(resourceTail);
  }

  #addMetric({ tail, gapTail, points }: JsonMetric, rows: Rows): void {
    const { table, from, to, times, isEnding } = rows;
    const width = table.series.length;
    let hasGaps = false;
    for (let row = from; row < to; row += 1) {
      for (let i = 0; i < points.length; i += 1) {
        const point = points[i];
        const value = table.values[row * width + point.column];
        hasGaps ||= Number.isNaN(value);
        this.#writer.bytes(i === 0 && row === from ? point.firstLead : point.lead);
        this.#writer.ascii(times[row]);
        this.#addValue(point, value);
      }
    }
    this.#writer.bytes(hasGaps && !isEnding ? gapTail : tail);
  }

  #addValue({ isInt }: JsonPoint, value: number): void {
    if (Number.isNaN(value)) this.#writer.ascii(gapText);
    else if (isInt) this.#addText(beforeInt, intText(value), '"}');
    else if (Number.isFinite(value)) this.#addText(beforeDouble, doubleText(value), '}');
    else this.#addText(beforeText, String(value), '"}');
  }

  /** Added one by one: concatenating three texts would allocate another one. */
  #addText(before: string, text: string, after: string): void {
    const writer = this.#writer;
    writer.ascii(before);
    writer.ascii(text);
    writer.ascii(after);
  }
}
