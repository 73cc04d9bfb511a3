import { elementAt } from '../element.js';
import { createPlans, findOrAdd } from '../model/plan.js';
import {
  resourceKey,
  type AnySeries,
  type Attributes,
  type AttributeValue,
  type HistogramMetric,
  type Metric,
  type Resource,
  type Series,
} from '../model/series.js';
import { readVersion } from '../version.js';
import { doubleText, intText } from './cell-text.js';

// The parts of the OTLP JSON of points, metrics and resources that are the same for every row, as bytes. Fields
// are in the order of the Collector's output (pdata's MarshalJSON), and like there empty ones are left out.

/** A column of a table. */
export interface JsonPoint {
  readonly column: number;
  /** The text before the instant's first digit, if another point of the metric precedes it. */
  readonly lead: Buffer;
  /** The same for the first point of a metric. */
  readonly firstLead: Buffer;
  readonly isInt: boolean;
}

/** The points of a metric and resource in a row. */
export interface JsonMetric {
  readonly tail: Buffer;
  /** Instead of the tail, if some points are gaps. */
  readonly gapTail: Buffer;
  readonly points: readonly JsonPoint[];
}

export interface JsonResource {
  readonly head: Buffer;
  readonly metrics: readonly JsonMetric[];
}

/** Columns of which a row fits into a line. */
export interface JsonRun {
  readonly resources: readonly JsonResource[];
  /** Maximum bytes of a row, and the bytes that surround all rows. */
  readonly rowBytes: number;
  readonly frameBytes: number;
}

/**
 * In the metadata of a metric: points without a value are gaps, after which the series continues. In other
 * metrics they end their series. The value of the entry is the type of the values. Metadata are not part of a
 * series' identity, so that other readers see the same series.
 */
export const gapMark = 'joulemetry.gap';

/** By this scope the decoder recognizes that an end is `endDelayNs` after the last row. */
export const scopeName = 'joulemetry';

export const lineHead = '{"resourceMetrics":[';
export const lineTail = ']}';
export const resourceEnd = ']}]}';
export const resourcesHead = Buffer.from(lineHead);
export const resourcesTail = Buffer.from(`${lineTail}\n`);
export const resourceTail = Buffer.from(resourceEnd);
export const beforeDouble = '","asDouble":';
export const beforeText = '","asDouble":"';
export const beforeInt = '","asInt":"';
export const gapText = '","flags":1}';

/** Digits of instant and value, and what surrounds them. */
const pointRestBytes = 20 + 26 + 18;
/** Size of what surrounds resources and metrics, including commas. */
const frameRestBytes = 40;
/** AggregationTemporality. */
const cumulative = 2;

/** Computes once how the columns of a table are written to lines of at most this many bytes. */
export function createJsonPlan(series: readonly Series[], maxBytes: number): readonly JsonRun[] {
  const runs: { columns: Column[]; bytes: number }[] = [];
  for (const column of orderColumns(series)) {
    const bytes = rowBytesOf(column) + column.frameBytes;
    const run = runs.at(-1);
    if (run === undefined || run.bytes + bytes > maxBytes) runs.push({ columns: [column], bytes });
    else {
      run.columns.push(column);
      run.bytes += bytes;
    }
  }
  return runs.map(({ columns }) => createRun(columns));
}

interface Column {
  readonly index: number;
  readonly series: Series;
  readonly resource: ResourceFrame;
  readonly metric: MetricFrame;
  /** Size of the frames if they are not shared. */
  readonly frameBytes: number;
}

/** The text before the metrics of a resource. */
export interface ResourceFrame {
  readonly key: string;
  readonly head: string;
}

/** The text around the points of a metric. */
export interface MetricFrame {
  readonly key: string;
  readonly head: string;
  readonly tail: string;
  readonly gapTail: string;
}

export const resourceFrame = createPlans((resource: Resource): ResourceFrame => ({
  key: resourceKey(resource),
  head: `{"resource":${objectWithAttributes(resource.attributes)},"scopeMetrics":[{"scope":${scope},"metrics":[`,
}));

const scope = JSON.stringify({ name: scopeName, version: readVersion() });

/** The fields of a Metric that contain points. */
const pointFields = {
  gauge: 'gauge',
  counter: 'sum',
  updowncounter: 'sum',
  histogram: 'histogram',
  exponential_histogram: 'exponentialHistogram',
} as const;

export const metricFrame = createPlans((metric: Metric | HistogramMetric): MetricFrame => {
  const { name, description, unit, kind } = metric;
  const valueType = 'valueType' in metric ? metric.valueType : kind;
  const texts = { name, ...(description !== '' && { description }), ...(unit !== '' && { unit }) };
  return {
    key: JSON.stringify([name, unit, description, kind, valueType]),
    head: `${JSON.stringify(texts).slice(0, -1)},"${pointFields[kind]}":{"dataPoints":[`,
    tail: metricTail(kind),
    gapTail: metricTail(kind, valueType),
  };
});

/** The text after the points of a metric. @param gapType if some points are gaps: the type of the values */
export function metricTail(kind: (Metric | HistogramMetric)['kind'], gapType?: string): string {
  const monotonic = kind === 'counter' ? ',"isMonotonic":true' : '';
  const end = kind === 'gauge' ? ']}' : `],"aggregationTemporality":${cumulative}${monotonic}}`;
  const mark = `,"metadata":[{"key":"${gapMark}","value":{"stringValue":"${gapType}"}}]`;
  return `${end}${gapType === undefined ? '' : mark}}`;
}

/** The start of a point, up to the first digit of its instant. */
export const pointHead = createPlans(({ attributes, start }: AnySeries): string => {
  const fields = Object.keys(attributes).length === 0 ? [] : [`"attributes":${attributesText(attributes)}`];
  if (start !== 0n) fields.push(`"startTimeUnixNano":"${start}"`);
  return `{${[...fields, '"timeUnixNano":"'].join(',')}`;
});

function objectWithAttributes(attributes: Attributes): string {
  return Object.keys(attributes).length === 0 ? '{}' : `{"attributes":${attributesText(attributes)}}`;
}

function attributesText(attributes: Attributes): string {
  return `[${Object.entries(attributes).map(pairText).join(',')}]`;
}

function pairText([key, value]: readonly [string, AttributeValue]): string {
  return `{"key":${JSON.stringify(key)},"value":{${anyValueText(value)}}}`;
}

function anyValueText(value: AttributeValue): string {
  if (typeof value === 'string') return `"stringValue":${JSON.stringify(value)}`;
  if (typeof value === 'boolean') return `"boolValue":${value}`;
  if (Number.isSafeInteger(value)) return `"intValue":"${intText(value)}"`;
  return `"doubleValue":${Number.isFinite(value) ? doubleText(value) : `"${value}"`}`;
}

/** The columns, with those of the same resource and metric next to each other. */
function orderColumns(series: readonly Series[]): readonly Column[] {
  const columns = series.map((one, index): Column => {
    const resource = resourceFrame(one.resource);
    const metric = metricFrame(one.metric);
    const frames = resource.head + metric.head + metric.gapTail;
    return { index, series: one, resource, metric, frameBytes: Buffer.byteLength(frames) + frameRestBytes };
  });
  return [...groupBy(columns, ({ resource }) => resource.key).values()].flatMap((group) =>
    [...groupBy(group, ({ metric }) => metric.key).values()].flat(),
  );
}

function rowBytesOf({ series }: Column): number {
  return Buffer.byteLength(pointHead(series)) + pointRestBytes;
}

function createRun(columns: readonly Column[]): JsonRun {
  const resources = groupBy(columns, ({ resource }) => resource.key);
  return {
    resources: [...resources.values()].map(createResource),
    rowBytes: columns.reduce((sum, column) => sum + rowBytesOf(column), 0),
    frameBytes: columns.reduce((sum, { frameBytes }) => sum + frameBytes, 0),
  };
}

function createResource(columns: readonly Column[]): JsonResource {
  const metrics = [...groupBy(columns, ({ metric }) => metric.key).values()];
  return { head: Buffer.from(elementAt(columns, 0).resource.head), metrics: metrics.map(createMetric) };
}

function createMetric(columns: readonly Column[]): JsonMetric {
  const { head, tail, gapTail } = elementAt(columns, 0).metric;
  const points = columns.map(({ index, series }): JsonPoint => {
    const point = pointHead(series);
    return {
      column: index,
      lead: Buffer.from(`,${point}`),
      firstLead: Buffer.from(head + point),
      isInt: series.metric.valueType === 'int',
    };
  });
  return { tail: Buffer.from(tail), gapTail: Buffer.from(gapTail), points };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) findOrAdd(groups, keyOf(item), () => []).push(item);
  return groups;
}
