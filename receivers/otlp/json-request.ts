import type { ExponentialLayout } from '../../src/model/histogram-table.js';
import type { Attributes, HistogramKind } from '../../src/model/series.js';
import { writeAttributes } from '../../src/otlp/templates.js';
import { MessageWriter, noRecordedValue, zigzag } from '../../src/otlp/wire.js';
import {
  attributesOf,
  hasNoValue,
  instantOf,
  isObject,
  objectsOf,
  parseObject,
  textOf,
  valueOf,
  type JsonObject,
} from '../../src/recording/otlp-json.js';
import { readJsonHistogram } from '../../src/recording/otlp-json-histogram.js';

const writer = new MessageWriter();

/** The fields of a Metric that have points, and their field numbers. */
const kinds = [
  ['gauge', 'gauge', 5],
  ['sum', 'sum', 7],
  ['histogram', 'histogram', 9],
  ['exponentialHistogram', 'exponential_histogram', 10],
  ['summary', 'summary', 11],
] as const;

type Kind = (typeof kinds)[number][1];

const temporalities: readonly unknown[] = [
  'AGGREGATION_TEMPORALITY_UNSPECIFIED',
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
];

const maxCount = 2 ** 64;
const maxSigned = 2 ** 31;

/**
 * Converts a JSON request to protobuf, for the fields that are read. Unknown fields are ignored.
 * @throws RangeError if the text is not a valid request
 */
export function convertJsonRequest(text: string): Buffer {
  try {
    const request = parseObject(text);
    for (const block of objectsOf(request['resourceMetrics'] ?? request['resource_metrics']))
      writeBlock(block);
    return writer.finish();
  } catch (error) {
    writer.finish();
    throw new RangeError(
      `Cannot read the request: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

function writeBlock({ resource, ...rest }: JsonObject): void {
  const block = writer.begin(1);
  writeAttributesOf(1, isObject(resource) ? resource['attributes'] : undefined, 1);
  for (const scope of objectsOf(rest['scopeMetrics'] ?? rest['scope_metrics'])) {
    const scopeMetrics = writer.begin(2);
    const { scope: named } = scope;
    const one = writer.begin(1);
    writer.text(1, isObject(named) ? textOf(named['name']) : '').end(one);
    for (const metric of objectsOf(scope['metrics'])) writeMetric(metric);
    writer.end(scopeMetrics);
  }
  writer.end(block);
}

/** Writes a message with attributes. */
function writeAttributesOf(field: number, pairs: unknown, attributeField: number): void {
  const message = writer.begin(field);
  writeAttributes(writer, attributeField, attributesOf(pairs));
  writer.end(message);
}

function writeMetric(metric: JsonObject): void {
  const message = writer.begin(2);
  writer
    .text(1, textOf(metric['name']))
    .text(2, textOf(metric['description']))
    .text(3, textOf(metric['unit']));
  for (const [name, other, field] of kinds) {
    const found = metric[name] ?? metric[other];
    if (!isObject(found)) continue;
    const one = writer.begin(field);
    for (const point of objectsOf(found['dataPoints'] ?? found['data_points'])) writePoint(point, other);
    if (name !== 'gauge') writeTemporality(found);
    writer.end(one);
  }
  writer.end(message);
}

/** Writes the fields of a sum. Those that a histogram also has use the same field numbers. */
function writeTemporality(data: JsonObject): void {
  const temporality = data['aggregationTemporality'] ?? data['aggregation_temporality'];
  const number = temporalities.includes(temporality)
    ? temporalities.indexOf(temporality)
    : Number(temporality);
  writer.integer(2, number === 1 || number === 2 ? number : 0);
  writer.integer(3, (data['isMonotonic'] ?? data['is_monotonic']) === true ? 1 : 0);
}

function writePoint(point: JsonObject, kind: Kind): void {
  const message = writer.begin(1);
  writer.fixed64(2, instantOf(point['startTimeUnixNano'] ?? point['start_time_unix_nano']));
  writer.fixed64(3, instantOf(point['timeUnixNano'] ?? point['time_unix_nano']));
  const attributes: Attributes = attributesOf(point['attributes']);
  if (kind === 'histogram' || kind === 'exponential_histogram') writeHistogram(point, kind, attributes);
  else writeNumber(point, attributes);
  writer.end(message);
}

function writeNumber(point: JsonObject, attributes: Attributes): void {
  const value = valueOf(point);
  if (value?.isInt === true && Number.isInteger(value.value)) writer.fixed64(6, BigInt(value.value));
  else if (value !== undefined) writer.double(4, value.value);
  writeAttributes(writer, 7, attributes);
  if (hasNoValue(point)) writer.integer(8, noRecordedValue);
}

/** Repeated numbers are not packed; the reader accepts both encodings. */
function writeHistogram(point: JsonObject, kind: HistogramKind, attributes: Attributes): void {
  const { count, sum, min, max, layout, buckets } = readJsonHistogram(point, kind);
  const isExplicit = layout.kind === 'histogram';
  writeAttributes(writer, isExplicit ? 9 : 1, attributes);
  if (hasNoValue(point)) {
    writer.integer(10, noRecordedValue);
    return;
  }
  writeCount(4, count);
  writer
    .double(5, sum)
    .double(isExplicit ? 11 : 12, min)
    .double(isExplicit ? 12 : 13, max);
  if (!isExplicit) {
    writeExponential(layout, buckets);
    return;
  }
  for (const bucket of buckets) writeCount(6, bucket);
  for (const bound of layout.bounds) writer.double(7, bound);
}

function writeExponential(layout: ExponentialLayout, [zero = 0, ...buckets]: Float64Array): void {
  const { scale, zeroThreshold, positiveOffset, positiveCount, negativeOffset } = layout;
  writer.integer(6, zigzag(checkSigned(scale)));
  writeCount(7, zero);
  writeSide(8, positiveOffset, buckets.slice(0, positiveCount));
  writeSide(9, negativeOffset, buckets.slice(positiveCount));
  writer.double(14, zeroThreshold);
}

function writeSide(field: number, offset: number, counts: readonly number[]): void {
  const side = writer.begin(field);
  writer.integer(1, zigzag(checkSigned(offset)));
  for (const count of counts) writer.integer(2, checkCount(count));
  writer.end(side);
}

function writeCount(field: number, count: number): void {
  writer.fixed64(field, BigInt(checkCount(count)));
}

function checkSigned(value: number): number {
  if (Math.abs(value) < maxSigned) return value;
  throw new RangeError(`expected a scale and offsets of 32 bits, found ${value}`);
}

function checkCount(count: number): number {
  if (count >= 0 && count < maxCount) return count;
  throw new RangeError(`expected counts of 64 bits, found ${count}`);
}
