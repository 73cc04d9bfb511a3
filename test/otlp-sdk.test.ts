import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Attributes } from '@opentelemetry/api';
import { OTLPExporterBase, type IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http';
import {
  convertLegacyOtlpGrpcOptions,
  createInsecureCredentials,
  createOtlpGrpcExportDelegate,
} from '@opentelemetry/otlp-grpc-exporter-base';
import {
  JsonMetricsSerializer,
  MetricsExporterMetricsHelper,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { startReceiver, type StartedReceiver } from '../receivers/otlp/receiver.fixture.js';
import { checkHistograms } from '../src/model/check-histograms.js';
import { checkTables } from '../src/model/check-tables.js';
import { HistogramRow } from '../src/model/histogram-table.js';

// The parts of the official exporters of OpenTelemetry's SDK for JavaScript: their transports and serialisers.

type Delegate = IOtlpExportDelegate<ResourceMetrics>;

function createGrpcDelegate({ grpc }: StartedReceiver): Delegate {
  const options = convertLegacyOtlpGrpcOptions(
    { url: grpc, credentials: createInsecureCredentials() },
    'METRICS',
  );
  const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
  const [serializer, helper] = [ProtobufMetricsSerializer, MetricsExporterMetricsHelper];
  return createOtlpGrpcExportDelegate(
    options,
    serializer,
    'test',
    helper,
    undefined,
    'MetricsExportService',
    path,
  );
}

function createHttpDelegate(
  { http }: StartedReceiver,
  serializer: typeof JsonMetricsSerializer,
  contentType: string,
): Delegate {
  const options = convertLegacyHttpOptions({ url: `${http}/v1/metrics` }, 'METRICS', 'v1/metrics', {
    'Content-Type': contentType,
  });
  return createOtlpHttpExportDelegate(options, serializer, 'test', MetricsExporterMetricsHelper, undefined);
}

class Exporter extends OTLPExporterBase<ResourceMetrics> implements PushMetricExporter {
  readonly #temporality: AggregationTemporality;

  constructor(delegate: Delegate, temporality: AggregationTemporality) {
    super(delegate);
    this.#temporality = temporality;
  }

  selectAggregationTemporality(): AggregationTemporality {
    return this.#temporality;
  }
}

function createMeter(t: TestContext, delegate: Delegate, temporality: AggregationTemporality) {
  const exporter = new Exporter(delegate, temporality);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const resource = resourceFromAttributes({ 'service.name': 'shop', 'service.instance.id': '1' });
  const provider = new MeterProvider({ readers: [reader], resource });
  t.after(() => provider.shutdown());
  return { meter: provider.getMeter('test', '1.0'), flush: () => provider.forceFlush() };
}

const ways: readonly (readonly [string, (receiver: StartedReceiver) => Delegate])[] = [
  ['gRPC', createGrpcDelegate],
  ['HTTP/protobuf', (one) => createHttpDelegate(one, ProtobufMetricsSerializer, 'application/x-protobuf')],
  ['HTTP/JSON', (one) => createHttpDelegate(one, JsonMetricsSerializer, 'application/json')],
];

function describeMetric(name: string, unit: string, kind: string, valueType: string) {
  return { name, unit, description: '', kind, valueType };
}

for (const [name, createDelegate] of ways) {
  test(`points sent by the official exporter over ${name} become tables`, async (t) => {
    const receiver = await startReceiver(t);
    const beforeNs = BigInt(Date.now()) * 1_000_000n;
    const { meter, flush } = createMeter(t, createDelegate(receiver), AggregationTemporality.CUMULATIVE);
    const orders = meter.createCounter('orders', { unit: '{order}', valueType: 0 });
    const queue = meter.createUpDownCounter('queue', { unit: '{order}' });
    meter
      .createObservableGauge('load', { unit: '1' })
      .addCallback((result) => result.observe(0.25, { cpu: 3 }));
    for (const added of [2, 3]) {
      orders.add(added, { paid: true });
      queue.add(-added);
      await flush();
    }
    const { tables } = receiver.collector;
    checkTables(tables);
    const last = (metric: string) =>
      receiver.collector.last(metric).map(({ series, value }) => [series.metric, series.attributes, value]);
    assert.deepEqual(last('orders'), [
      [describeMetric('orders', '{order}', 'counter', 'int'), { paid: true }, 5],
    ]);
    assert.deepEqual(last('queue'), [
      [describeMetric('queue', '{order}', 'updowncounter', 'double'), {}, -5],
    ]);
    assert.deepEqual(last('load'), [[describeMetric('load', '1', 'gauge', 'double'), { cpu: 3 }, 0.25]]);
    const [orderSeries] = receiver.collector.last('orders');
    const attributes: Attributes = orderSeries?.series.resource.attributes ?? {};
    assert.equal(attributes['service.instance.id'], '1');
    const start = orderSeries?.series.start ?? 0n;
    assert.ok(start >= beforeNs && start <= BigInt(Date.now()) * 1_000_000n, `starts at ${start}`);
  });
}

test('deltas of the official exporter become cumulative, including those of histograms', async (t) => {
  const receiver = await startReceiver(t);
  const { meter, flush } = createMeter(t, createGrpcDelegate(receiver), AggregationTemporality.DELTA);
  const orders = meter.createCounter('orders');
  for (const added of [2, 3, 4]) {
    orders.add(added);
    meter
      .createHistogram('duration', { unit: 's', advice: { explicitBucketBoundaries: [2.5, 3.5] } })
      .record(added);
    await flush();
  }
  const { tables } = receiver.collector;
  checkTables(tables);
  assert.deepEqual(
    tables.map(({ values }) => [...values]),
    [[2], [5], [9]],
  );
  assert.equal(new Set(tables.flatMap(({ series }) => series)).size, 1);
  const { histograms } = receiver.collector;
  checkHistograms(histograms);
  const { count, sum, min, max, layout, buckets } = new HistogramRow().read(
    histograms.at(-1) ?? assert.fail(),
    0,
  );
  assert.deepEqual([histograms.length, count, sum, min, max, [...buckets]], [3, 3, 9, 2, 4, [1, 1, 1]]);
  assert.deepEqual(layout, { kind: 'histogram', bounds: Float64Array.of(2.5, 3.5) });
});
