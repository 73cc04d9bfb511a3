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

// What of the OTLP JSON of a point, a metric and a resource is the same for every row, as bytes. Fields stand in
// the order in which the Collector writes them (pdata's MarshalJSON), and what is empty is left out as it does.

/** A column of a table. */
export interface JsonPoint {
  readonly column: number;
  /** What stands before the instant's first digit, where another point comes before in the metric. */
  readonly lead: Buffer;
  /** The same for the first point of a metric. */
  readonly firstLead: Buffer;
  readonly isInt: boolean;
}

/** The points that a metric of a resource has in a row. */
export interface JsonMetric {
  readonly tail: Buffer;
  /** In the place of the tail where some points are gaps. */
  readonly gapTail: Buffer;
  readonly points: readonly JsonPoint[];
}

export interface JsonResource {
  readonly head: Buffer;
  readonly metrics: readonly JsonMetric[];
}

/** Columns of which one row fits into a line. */
export interface JsonRun {
  readonly resources: readonly JsonResource[];
  /** The most bytes that a row takes, and those that stand around all rows. */
  readonly rowBytes: number;
  readonly frameBytes: number;
}

/**
 * In the metadata of a metric: points without a value are gaps, after which the series goes on. Points without a
 * value in other metrics end their series. The mark's value is the type that values have. Metadata identify nothing,
 * so that other readers see the same series.
 */
export const gapMark = 'joulemetry.gap';

/** By which the decoder knows that an end is `endDelayNs` after the last row. */
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

/** Digits of the instant and of the value, and what surrounds them. */
const pointRestBytes = 20 + 26 + 18;
/** What stands around resources and metrics, commas included. */
const frameRestBytes = 40;
/** AggregationTemporality. */
const cumulative = 2;

/** Works out once how the columns of a table become lines of at most this many bytes. */
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
  /** What the frames take if they are not shared. */
  readonly frameBytes: number;
}

/** What stands before the metrics of a resource. */
export interface ResourceFrame {
  readonly key: string;
  readonly head: string;
}

/** What stands around the points of a metric. */
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

/** The fields of a Metric that hold points. */
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

/** What stands behind the points of a metric. @param gapType where some points are gaps: the type that values have */
export function metricTail(kind: (Metric | HistogramMetric)['kind'], gapType?: string): string {
  const monotonic = kind === 'counter' ? ',"isMonotonic":true' : '';
  const end = kind === 'gauge' ? ']}' : `],"aggregationTemporality":${cumulative}${monotonic}}`;
  const mark = `,"metadata":[{"key":"${gapMark}","value":{"stringValue":"${gapType}"}}]`;
  return `${end}${gapType === undefined ? '' : mark}}`;
}

/** What a point begins with, up to the first digit of its instant. */
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

/** The columns, those of the same resource and of the same metric side by side. */
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
