import { HistogramRow, type ExponentialLayout, type HistogramTable } from '../model/histogram-table.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import type { HistogramSeries } from '../model/series.js';
import { timeOf } from '../model/table.js';
import { countText, doubleText } from './cell-text.js';
import {
  gapText,
  lineHead,
  lineTail,
  metricFrame,
  pointHead,
  resourceEnd,
  resourceFrame,
  type MetricFrame,
  type ResourceFrame,
} from './json-lines-plan.js';

// HistogramDataPoint and ExponentialHistogramDataPoint in OTLP JSON, with fields in the order of the
// Collector's output (pdata's MarshalJSON), and like there without empty fields.

/** The rows of one metric of one resource, in the tables with one array of series. */
interface RowGroup {
  readonly resource: ResourceFrame;
  readonly metric: MetricFrame;
  readonly rows: number[];
  /** The start of each row's point. */
  readonly heads: string[];
}

const groupRows = createPlans((series: readonly HistogramSeries[]): readonly RowGroup[] => {
  const groups = new Map<string, Map<string, RowGroup>>();
  for (const [row, one] of series.entries()) {
    const [resource, metric] = [resourceFrame(one.resource), metricFrame(one.metric)];
    const metrics = findOrAdd(groups, resource.key, () => new Map<string, RowGroup>());
    const group = findOrAdd(metrics, metric.key, () => ({ resource, metric, rows: [], heads: [] }));
    group.rows.push(row);
    group.heads.push(pointHead(one));
  }
  return [...groups.values()].flatMap((metrics) => Array.from(metrics.values()));
});

/** Size of what surrounds the points of a line, without the heads of resources and metrics. */
const frameRestBytes = 100;

/**
 * Writes the rows of a table as lines, each with as many points as fit.
 * @param isEnding points without a value end their series; otherwise they are gaps
 */
export function histogramLines(table: HistogramTable, maxLineBytes: number, isEnding = false): string {
  const lines = new Lines(maxLineBytes, isEnding);
  const row = new HistogramRow();
  for (const group of groupRows(table.series)) {
    for (const [i, number] of group.rows.entries()) {
      const time = timeOf(table, number);
      lines.add(group, `${group.heads[i]}${time}${figuresText(row.read(table, number))}`, row.count);
    }
  }
  return lines.end();
}

/** Lines that grow point by point. */
class Lines {
  readonly #maxBytes: number;
  readonly #isEnding: boolean;
  #text = '';
  /** Of the current line. */
  #bytes = 0;
  #resource: ResourceFrame | undefined;
  #metric: MetricFrame | undefined;
  #hasGaps = false;

  constructor(maxBytes: number, isEnding: boolean) {
    this.#maxBytes = maxBytes;
    this.#isEnding = isEnding;
  }

  /** @param count of the point; NaN: no value */
  add({ resource, metric }: RowGroup, point: string, count: number): void {
    const frames = resource.head.length + metric.head.length + metric.gapTail.length + frameRestBytes;
    const bytes = Buffer.byteLength(point) + 1;
    if (this.#resource !== undefined && this.#bytes + bytes + frames > this.#maxBytes) this.end();
    this.#bytes += bytes + (this.#metric === metric ? 0 : frames);
    this.#text += this.#open(resource, metric) + point;
    this.#hasGaps ||= Number.isNaN(count);
  }

  /** Ends the line. @returns all lines so far */
  end(): string {
    if (this.#resource !== undefined) {
      this.#text += `${this.#metricTail()}${resourceEnd}${lineTail}\n`;
      this.#resource = undefined;
    }
    this.#metric = undefined;
    this.#bytes = 0;
    return this.#text;
  }

  /** The text between the previous point and a point of this metric. */
  #open(resource: ResourceFrame, metric: MetricFrame): string {
    const [resourceBefore, metricBefore] = [this.#resource, this.#metric];
    const tail = metricBefore === undefined || metricBefore === metric ? '' : this.#metricTail();
    this.#resource = resource;
    this.#metric = metric;
    if (resourceBefore === undefined) return lineHead + resource.head + metric.head;
    if (resourceBefore.key !== resource.key) return `${tail}${resourceEnd},${resource.head}${metric.head}`;
    return metricBefore === metric ? ',' : `${tail},${metric.head}`;
  }

  #metricTail(): string {
    const metric = this.#metric;
    const isMarked = this.#hasGaps && !this.#isEnding;
    this.#hasGaps = false;
    return (isMarked ? metric?.gapTail : metric?.tail) ?? '';
  }
}

/** The text after the last digit of a point's instant. */
function figuresText(row: HistogramRow): string {
  const { count, sum, layout, buckets } = row;
  const isExplicit = layout.kind === 'histogram';
  if (Number.isNaN(count)) return isExplicit ? gapText : exponentialGapText;
  const figures = isExplicit
    ? listField('bucketCounts', buckets, quotedCount) + listField('explicitBounds', layout.bounds, numberText)
    : exponentialFields(layout, buckets);
  const [head, tail] = [
    `"${countField('count', count)}${doubleField('sum', sum)}`,
    `${doubleField('min', row.min)}${doubleField('max', row.max)}`,
  ];
  const threshold = isExplicit || layout.zeroThreshold === 0 ? NaN : layout.zeroThreshold;
  return `${head}${figures}${tail}${doubleField('zeroThreshold', threshold)}}`;
}

const exponentialGapText = '","positive":{},"negative":{},"flags":1}';

function exponentialFields(layout: ExponentialLayout, buckets: Float64Array): string {
  const { scale, positiveOffset, positiveCount, negativeOffset } = layout;
  const positive = sideField('positive', positiveOffset, buckets.subarray(1, 1 + positiveCount));
  const negative = sideField('negative', negativeOffset, buckets.subarray(1 + positiveCount));
  return `${wholeField('scale', scale)}${countField('zeroCount', buckets[0] ?? 0)}${positive}${negative}`;
}

function sideField(name: string, offset: number, counts: Float64Array): string {
  const fields = wholeField('offset', offset) + listField('bucketCounts', counts, quotedCount);
  return `,"${name}":{${fields.slice(1)}}`;
}

function wholeField(name: string, value: number): string {
  return value === 0 ? '' : `,"${name}":${value}`;
}

function countField(name: string, value: number): string {
  return value === 0 ? '' : `,"${name}":${quotedCount(value)}`;
}

/** NaN means unknown and is left out. */
function doubleField(name: string, value: number): string {
  return Number.isNaN(value) ? '' : `,"${name}":${numberText(value)}`;
}

function listField(name: string, values: Float64Array, textOf: (value: number) => string): string {
  return values.length === 0 ? '' : `,"${name}":[${Array.from(values, textOf).join(',')}]`;
}

function quotedCount(value: number): string {
  return `"${countText(value)}"`;
}

/** JSON has no infinity: it is a string. */
function numberText(value: number): string {
  return Number.isFinite(value) ? doubleText(value) : `"${value}"`;
}
