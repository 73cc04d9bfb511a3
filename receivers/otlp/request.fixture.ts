import root from 'otlp-transformer-0.200/build/src/generated/root.js';
import type { Table } from '../../src/model/table.js';

// For tests: encodes requests with the encoder that is generated from the official .proto files.

export type Value = string | number | boolean | Readonly<Record<string, unknown>>;

/** A point of a test. */
export interface Point {
  readonly attributes?: Readonly<Record<string, Value>>;
  /** Nanoseconds. */
  readonly start?: bigint;
  readonly time?: bigint;
  readonly double?: number;
  readonly int?: bigint | number;
  readonly flags?: number;
  readonly exemplars?: readonly unknown[];
  /** For histograms: the fields, with the names of the official messages. */
  readonly histogram?: Readonly<Record<string, unknown>>;
}

export interface Described {
  readonly name: string;
  readonly unit?: string;
  readonly description?: string;
  /** Gauge by default. */
  readonly kind?: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary';
  readonly temporality?: number;
  readonly isMonotonic?: boolean;
  readonly points: readonly Point[];
}

export interface Scoped {
  /** Null: the field is not sent. */
  readonly scope?: string | null;
  readonly resource?: Readonly<Record<string, Value>> | null;
  readonly metrics: readonly Described[];
}

interface MessageType {
  encode(message: unknown): { finish(): Uint8Array };
}

// The generated code has no types; the message is defined in metrics_service.proto.
const service = root as unknown as {
  opentelemetry: {
    proto: { collector: { metrics: { v1: { ExportMetricsServiceRequest: MessageType } } } };
  };
};
const requestType = service.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;

/** Encodes an ExportMetricsServiceRequest with one ResourceMetrics for each argument. */
export function encodeRequest(...blocks: readonly Scoped[]): Uint8Array {
  return requestType.encode({ resourceMetrics: blocks.map(toResourceMetrics) }).finish();
}

function toResourceMetrics({ scope = 'test', resource = { 'service.name': 'app' }, metrics }: Scoped) {
  return {
    ...(resource !== null && { resource: { attributes: toPairs(resource) } }),
    scopeMetrics: [{ ...(scope !== null && { scope: { name: scope } }), metrics: metrics.map(toMetric) }],
  };
}

function toMetric({ name, unit = '1', description = '', kind = 'gauge', points, ...rest }: Described) {
  const { temporality: aggregationTemporality = 2, isMonotonic = true } = rest;
  const sum = kind === 'sum' ? { isMonotonic } : {};
  const temporality = kind === 'gauge' || kind === 'summary' ? {} : { aggregationTemporality };
  return { name, unit, description, [kind]: { dataPoints: points.map(toPoint), ...temporality, ...sum } };
}

function toPoint({ attributes = {}, start = 0n, time = 1n, double, int, flags = 0, ...rest }: Point) {
  const { exemplars = [], histogram } = rest;
  return {
    exemplars,
    attributes: toPairs(attributes),
    startTimeUnixNano: toHalves(start),
    timeUnixNano: toHalves(time),
    ...(double !== undefined && { asDouble: double }),
    ...(int !== undefined && { asInt: toHalves(BigInt(int)) }),
    flags,
    ...histogram,
  };
}

function toHalves(value: bigint) {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)) };
}

function toPairs(attributes: Readonly<Record<string, Value>>) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: toAny(value) }));
}

/** An object is already an AnyValue. */
function toAny(value: Value): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'object') return value;
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}

/** Formats the points of tables: `name{attributes} start time value`, and `end name`. */
export function listTables(tables: readonly Table[]): string[] {
  return tables.flatMap(({ series, epoch, offsets, values, ended = [] }) => [
    ...ended.map(({ metric, attributes }) => `end ${metric.name}${describe(attributes)}`),
    ...Array.from(values, (value, cell) => {
      const one = series[cell % series.length];
      const at = epoch + BigInt(offsets[Math.floor(cell / series.length)] ?? 0);
      return `${one?.metric.name}${describe(one?.attributes ?? {})} ${one?.start} ${at} ${value}`;
    }),
  ]);
}

function describe(attributes: Readonly<Record<string, unknown>>): string {
  return Object.keys(attributes).length === 0 ? '' : JSON.stringify(attributes);
}
