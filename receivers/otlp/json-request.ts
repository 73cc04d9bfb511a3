import type { Attributes } from '../../src/model/series.js';
import { writeAttributes } from '../../src/otlp/templates.js';
import { MessageWriter } from '../../src/otlp/wire.js';
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

const writer = new MessageWriter();

/** The fields of a Metric that hold points, and their numbers. */
const kinds = [
  ['gauge', 'gauge', 5],
  ['sum', 'sum', 7],
  ['histogram', 'histogram', 9],
  ['exponentialHistogram', 'exponential_histogram', 10],
  ['summary', 'summary', 11],
] as const;

const temporalities: readonly unknown[] = [
  'AGGREGATION_TEMPORALITY_UNSPECIFIED',
  'AGGREGATION_TEMPORALITY_DELTA',
  'AGGREGATION_TEMPORALITY_CUMULATIVE',
];

const noRecordedValue = 1;

/**
 * A request in JSON as one in protobuf, as far as it is read. Fields that are unknown are left out.
 * @throws RangeError when the text is no such request
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
    for (const point of objectsOf(found['dataPoints'] ?? found['data_points'])) writePoint(point);
    if (name === 'sum') writeSumFields(found);
    writer.end(one);
  }
  writer.end(message);
}

function writeSumFields(sum: JsonObject): void {
  const temporality = sum['aggregationTemporality'] ?? sum['aggregation_temporality'];
  const number = temporalities.includes(temporality)
    ? temporalities.indexOf(temporality)
    : Number(temporality);
  writer.integer(2, number === 1 || number === 2 ? number : 0);
  writer.integer(3, (sum['isMonotonic'] ?? sum['is_monotonic']) === true ? 1 : 0);
}

function writePoint(point: JsonObject): void {
  const message = writer.begin(1);
  writer.fixed64(2, instantOf(point['startTimeUnixNano'] ?? point['start_time_unix_nano']));
  writer.fixed64(3, instantOf(point['timeUnixNano'] ?? point['time_unix_nano']));
  const value = valueOf(point);
  if (value?.isInt === true && Number.isInteger(value.value)) writer.fixed64(6, BigInt(value.value));
  else if (value !== undefined) writer.double(4, value.value);
  const attributes: Attributes = attributesOf(point['attributes']);
  writeAttributes(writer, 7, attributes);
  if (hasNoValue(point)) writer.integer(8, noRecordedValue);
  writer.end(message);
}
