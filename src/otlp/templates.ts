import { createPlans } from '../model/plan.js';
import {
  resourceKey,
  type Attributes,
  type AttributeValue,
  type HistogramMetric,
  type Metric,
  type Resource,
  type Series,
} from '../model/series.js';
import { wireTypes } from '../protobuf.js';
import { readVersion } from '../version.js';
import {
  messageLength,
  MessageWriter,
  noRecordedValue,
  tagOf,
  writeMessageStart,
  writeVarint,
} from './wire.js';

// The parts of opentelemetry/proto/metrics/v1/metrics.proto that are the same for every point of a series,
// metric or resource, encoded once. Fields are in the order in which the official serialiser writes them.

/** A `NumberDataPoint` whose instant and value are still to be filled in. */
export interface PointTemplate {
  /** Including tag and length. */
  readonly bytes: Buffer;
  /** Offset of the eight bytes of the instant. */
  readonly timeAt: number;
}

/** From the first byte of a point's instant to the first byte of its value. */
export const valueAfterTime = 9;

/** From the first byte of a point's start to the first byte of its instant. */
export const startBeforeTime = 9;

/** AggregationTemporality. */
const delta = 1;
const cumulative = 2;

/** The fields around the points of a metric. */
export interface MetricFrame {
  /** Equal for metrics with equal fields. */
  readonly key: string;
  /** Name, description, unit and the tag of the gauge, sum or histogram. */
  readonly head: Buffer;
  /** The fields of a sum or histogram after its points. */
  readonly tail: Buffer;
  readonly isInt: boolean;
}

/** The fields around the metrics of a resource. */
export interface ResourceFrame {
  /** Equal for resources with equal attributes. */
  readonly key: string;
  /** The `resource` field of a ResourceMetrics. */
  readonly head: Buffer;
}

/** The parts of a series that are encoded once. */
export interface SeriesTemplate {
  readonly point: PointTemplate;
  readonly metric: MetricFrame;
  readonly resource: ResourceFrame;
}

const writer = new MessageWriter();

/** The `scope` field of every ScopeMetrics. */
export const scopeField = encodeScope();

/** The template of a series. */
export const seriesTemplate = createPlans((series: Series): SeriesTemplate => ({
  point: encodePoint(series, false),
  metric: metricFrame(series.metric),
  resource: resourceFrame(series.resource),
}));

/** The template of a series' points without a recorded value. */
export const gapTemplate = createPlans((series: Series) => encodePoint(series, true));

/** The frame of a metric. */
export const metricFrame = createPlans((metric: Metric | HistogramMetric): MetricFrame => {
  const { name, unit, description, kind } = metric;
  const valueType = 'valueType' in metric ? metric.valueType : undefined;
  return {
    key: JSON.stringify([name, unit, description, kind, valueType, isDelta(metric)]),
    head: encodeMetricHead(metric),
    tail: encodeMetricTail(metric),
    isInt: valueType === 'int',
  };
});

/** The frame of a resource. */
export const resourceFrame = createPlans((resource: Resource): ResourceFrame => ({
  key: resourceKey(resource),
  head: encodeResource(resource),
}));

function encodePoint({ metric, attributes, start }: Series, isGap: boolean): PointTemplate {
  const point = writer.begin(1);
  writer.fixed64(2, start);
  const timeAt = writer.length + 1;
  writer.fixed64(3, 0n);
  if (!isGap) writer.fixed64(metric.valueType === 'int' ? 6 : 4, 0n);
  writeAttributes(writer, 7, attributes);
  if (isGap) writer.integer(8, noRecordedValue);
  const length = writer.length - point;
  const bytes = writer.end(point).finish();
  return { bytes, timeAt: timeAt + bytes.length - length - point };
}

/** The field of a `Metric` that holds the points. */
const pointFields = {
  gauge: 5,
  counter: 7,
  updowncounter: 7,
  histogram: 9,
  exponential_histogram: 10,
} as const;

function encodeMetricHead({ name, description, unit, kind }: Metric | HistogramMetric): Buffer {
  writer.text(1, name);
  if (description !== '') writer.text(2, description);
  if (unit !== '') writer.text(3, unit);
  const texts = writer.finish();
  return Buffer.concat([texts, Buffer.of(tagOf(pointFields[kind], wireTypes.lengthDelimited))]);
}

function encodeMetricTail(metric: Metric | HistogramMetric): Buffer {
  const { kind } = metric;
  if (kind !== 'gauge') writer.integer(2, isDelta(metric) ? delta : cumulative);
  if (kind === 'counter') writer.integer(3, 1);
  return writer.finish();
}

/** Whether a metric is sent as deltas. */
export function isDelta(metric: Metric | HistogramMetric): boolean {
  return metric.kind === 'counter' && metric.delta !== undefined;
}

function encodeResource({ attributes }: Resource): Buffer {
  const resource = writer.begin(1);
  writeAttributes(writer, 1, attributes);
  return writer.integer(2, 0).end(resource).finish();
}

function encodeScope(): Buffer {
  const scope = writer.begin(1);
  return writer.text(1, 'joulemetry').text(2, readVersion()).end(scope).finish();
}

/** Attributes as repeated `KeyValue`. Integers that a double holds exactly are sent as int_value. */
export function writeAttributes(target: MessageWriter, field: number, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    const pair = target.begin(field);
    const any = target.text(1, name).begin(2);
    writeAnyValue(target, value);
    target.end(any).end(pair);
  }
}

function writeAnyValue(target: MessageWriter, value: AttributeValue): void {
  if (typeof value === 'string') target.text(1, value);
  else if (typeof value === 'boolean') target.integer(2, value ? 1 : 0);
  else if (Number.isSafeInteger(value)) target.integer(3, value);
  else target.double(4, value);
}

const metricTag = tagOf(2, wireTypes.lengthDelimited);

/** The length of a `metrics` field of a ScopeMetrics, given that of its points. */
export function metricLength(frame: MetricFrame, pointsLength: number): number {
  return messageLength(bodyLength(frame, pointsLength + frame.tail.length));
}

/**
 * Writes the fields before the points of a metric.
 * @returns the offset of the first point
 */
export function writeMetricStart(
  target: Buffer,
  at: number,
  frame: MetricFrame,
  pointsLength: number,
): number {
  const dataLength = pointsLength + frame.tail.length;
  const headAt = writeMessageStart(target, at, metricTag, bodyLength(frame, dataLength));
  target.set(frame.head, headAt);
  return writeVarint(target, headAt + frame.head.length, dataLength);
}

/**
 * Writes the fields after the points of a metric.
 * @returns the offset of the next byte
 */
export function writeMetricEnd(target: Buffer, at: number, { tail }: MetricFrame): number {
  target.set(tail, at);
  return at + tail.length;
}

/** The length of a `Metric`, given that of its gauge, sum or histogram, whose tag is in the head. */
function bodyLength({ head }: MetricFrame, dataLength: number): number {
  return head.length - 1 + messageLength(dataLength);
}
