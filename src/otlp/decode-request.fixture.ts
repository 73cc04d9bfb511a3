import root from 'otlp-transformer-0.200/build/src/generated/root.js';

// For tests: reads requests with an independent decoder, generated from the official .proto files.

/** A point with the metric, scope and resource that contain it. */
export interface DecodedPoint {
  readonly resource: Readonly<Record<string, unknown>>;
  readonly scope: string;
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  /** `gauge`, or `sum` with its temporality (2 is cumulative) and whether it is monotonic. */
  readonly kind: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly start: bigint;
  readonly time: bigint;
  /** Undefined where the point has neither as_double nor as_int. */
  readonly value: number | bigint | undefined;
  readonly flags: number;
}

/** A histogram with the metric, scope and resource that contain it. */
export interface DecodedHistogram extends Omit<DecodedPoint, 'value'> {
  readonly count: bigint;
  readonly sum: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Fields of the official message: `explicitBounds` and `bucketCounts`, or `scale`, `zeroCount` and so on. */
  readonly buckets: Readonly<Record<string, unknown>>;
}

interface HistogramDataPoint extends NumberDataPoint {
  readonly count?: string;
  readonly sum?: number;
  readonly min?: number;
  readonly max?: number;
  readonly explicitBounds?: readonly number[];
  readonly bucketCounts?: readonly string[];
  readonly scale?: number;
  readonly zeroCount?: string;
  readonly zeroThreshold?: number;
  readonly positive?: unknown;
  readonly negative?: unknown;
}

interface HistogramData {
  readonly dataPoints: readonly HistogramDataPoint[];
  readonly aggregationTemporality: number;
}

interface KeyValue {
  readonly key: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

interface NumberDataPoint {
  readonly attributes?: readonly KeyValue[];
  readonly startTimeUnixNano?: string;
  readonly timeUnixNano?: string;
  readonly asDouble?: number;
  readonly asInt?: string;
  readonly flags?: number;
}

interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly description?: string;
  readonly gauge?: { readonly dataPoints: readonly NumberDataPoint[] };
  readonly sum?: {
    readonly dataPoints: readonly NumberDataPoint[];
    readonly aggregationTemporality: number;
    readonly isMonotonic?: boolean;
  };
  readonly histogram?: HistogramData;
  readonly exponentialHistogram?: HistogramData;
}

interface ScopeMetrics {
  readonly scope: { readonly name: string; readonly version: string };
  readonly metrics: readonly Metric[];
}

/** The part of a request for one resource. */
export interface ResourceMetrics {
  readonly resource: { readonly attributes?: readonly KeyValue[] };
  readonly scopeMetrics: readonly ScopeMetrics[];
}

interface MessageType {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: { readonly longs: StringConstructor }): unknown;
}

// The generated code has no types; the message is named in metrics_service.proto.
const service = root as unknown as {
  opentelemetry: {
    proto: { collector: { metrics: { v1: { ExportMetricsServiceRequest: MessageType } } } };
  };
};
const requestType = service.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;

/** The ResourceMetrics of an ExportMetricsServiceRequest, unchanged. */
export function decodeResources(bytes: Uint8Array): readonly ResourceMetrics[] {
  const request = requestType.toObject(requestType.decode(bytes), { longs: String });
  return (request as { resourceMetrics?: readonly ResourceMetrics[] }).resourceMetrics ?? [];
}

/** Every point of an ExportMetricsServiceRequest, in the order of the request. */
export function decodePoints(bytes: Uint8Array): readonly DecodedPoint[] {
  return listPoints(decodeResources(bytes));
}

/** Every point of a list of ResourceMetrics, in order; those of OTLP JSON have the same shape. */
export function listPoints(resources: readonly ResourceMetrics[]): readonly DecodedPoint[] {
  return visitMetrics(resources, decodeMetric);
}

/** Every histogram of an ExportMetricsServiceRequest, in the order of the request. */
export function decodeHistograms(bytes: Uint8Array): readonly DecodedHistogram[] {
  return listHistograms(decodeResources(bytes));
}

/** Every histogram of a list of ResourceMetrics, in order; those of OTLP JSON have the same shape. */
export function listHistograms(resources: readonly ResourceMetrics[]): readonly DecodedHistogram[] {
  return visitMetrics(resources, (metric, origin) => {
    const { histogram, exponentialHistogram: exponential } = metric;
    const { dataPoints, aggregationTemporality: temporality = 0 } = histogram ??
      exponential ?? { dataPoints: [] };
    const kind = `${histogram ? 'histogram' : 'exponential'} ${temporality}`;
    const shared = { ...origin, ...describeMetric(metric), kind };
    return dataPoints.map((point) => Object.assign(decodeHistogram(point), shared));
  });
}

type Origin = Pick<DecodedPoint, 'resource' | 'scope'>;

function visitMetrics<Point>(
  resources: readonly ResourceMetrics[],
  decode: (metric: Metric, origin: Origin) => readonly Point[],
): readonly Point[] {
  const points: Point[] = [];
  for (const { resource, scopeMetrics } of resources) {
    for (const { scope, metrics } of scopeMetrics) {
      const origin = {
        resource: decodeAttributes(resource.attributes),
        scope: `${scope.name} ${scope.version}`,
      };
      for (const metric of metrics) points.push(...decode(metric, origin));
    }
  }
  return points;
}

function decodeHistogram(point: HistogramDataPoint) {
  const { attributes, start, time, flags } = decodePoint(point);
  const { count = 0, sum, min, max, explicitBounds, bucketCounts } = point;
  const { scale = 0, zeroCount = 0, zeroThreshold = 0, positive, negative } = point;
  const explicit = { explicitBounds, bucketCounts: bucketCounts?.map(Number) };
  const exponential = {
    scale,
    zeroCount: Number(zeroCount),
    zeroThreshold,
    ...decodeBuckets({ positive, negative }),
  };
  const isExplicit = explicitBounds !== undefined || bucketCounts !== undefined;
  const figures = { count: BigInt(count), sum, min, max };
  return Object.assign(figures, {
    attributes,
    start,
    time,
    flags,
    buckets: isExplicit ? explicit : exponential,
  });
}

function decodeBuckets(sides: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(sides).map(([name, side]) => {
      const { offset = 0, bucketCounts = [] } = (side ?? {}) as {
        offset?: number;
        bucketCounts?: readonly string[];
      };
      return [name, { offset, counts: bucketCounts.map(Number) }];
    }),
  );
}

function decodeMetric(metric: Metric, origin: Origin): DecodedPoint[] {
  const shared = { ...origin, ...describeMetric(metric) };
  const { dataPoints } = metric.sum ?? metric.gauge ?? { dataPoints: [] };
  return dataPoints.map((point) => Object.assign(decodePoint(point), shared));
}

function describeMetric({ name, unit = '', description = '', sum }: Metric) {
  const kind = sum ? `sum ${sum.aggregationTemporality} ${sum.isMonotonic ?? false}` : 'gauge';
  return { name, unit, description, kind };
}

function decodePoint(point: NumberDataPoint) {
  return {
    attributes: decodeAttributes(point.attributes),
    start: BigInt(point.startTimeUnixNano ?? 0),
    time: BigInt(point.timeUnixNano ?? 0),
    value: point.asInt === undefined ? point.asDouble : BigInt(point.asInt),
    flags: point.flags ?? 0,
  };
}

function decodeAttributes(attributes: readonly KeyValue[] = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value = {} }) => [
      key,
      value['stringValue'] ??
        value['boolValue'] ??
        value['doubleValue'] ??
        `int ${String(value['intValue'])}`,
    ]),
  );
}
