import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNoopMeter, ValueType } from '@opentelemetry/api';
import { MeterProvider, MetricReader, type MetricDescriptor } from '@opentelemetry/sdk-metrics';
import { CounterRegistry } from './counter-registry.js';

class TestReader extends MetricReader {
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
}

/** Counters of a meter, from the SDK or from a book, as a reader collects them. */
function createCollected(hasBook: boolean, isShown = (_name: string): boolean => true) {
  const book = new CounterRegistry(isShown);
  const reader = new TestReader({ metricProducers: hasBook ? [book] : [] });
  const sdk = new MeterProvider({ readers: [reader] }).getMeter('joulemetry');
  const collect = async () => {
    const { resourceMetrics } = await reader.collect();
    return resourceMetrics.scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.map((metric) => ({
        scope: scope.name,
        ...metric,
        descriptor: describe(metric.descriptor),
        dataPoints: metric.dataPoints.map(({ attributes, value }) => ({ attributes, value })),
      })),
    );
  };
  return { meter: hasBook ? book.createMeter(sdk) : sdk, collect, reader };
}

/** The metric fields in the SDK's API: its objects have more. */
function describe({ name, description, unit, valueType }: MetricDescriptor): MetricDescriptor {
  return { name, description, unit, valueType };
}

async function playCounters({ meter, collect }: ReturnType<typeof createCollected>) {
  const counter = meter.createCounter('items', { unit: '{item}', description: 'Points' });
  const kept = { processor: 'power' };
  meter.createCounter('idle');
  counter.add(2, kept);
  counter.add(3, { processor: 'filter', 'otel.signal': 'metrics' });
  await collect();
  counter.add(0.5, kept);
  counter.add(1, { 'otel.signal': 'metrics', processor: 'filter' });
  counter.add(-1, kept);
  counter.add(7);
  meter.createCounter('items', { unit: '{item}', description: 'Points' }).add(1, { ...kept });
  meter.createCounter('whole', { valueType: ValueType.INT }).add(2);
  return (await collect()).toSorted((a, b) => (a.descriptor.name < b.descriptor.name ? -1 : 1));
}

test('CounterRegistry counts like the SDK, by attributes in any order and whichever component creates the counter', async () => {
  const ours = await playCounters(createCollected(true));
  const [items] = ours;
  assert.deepEqual(
    items?.dataPoints.map(({ value }) => value),
    [3.5, 4, 7],
  );
  assert.deepEqual(ours, await playCounters(createCollected(false)));
});

test('CounterRegistry uses the time of the first addition as the start of a count', async () => {
  const { meter, reader } = createCollected(true);
  const beforeS = Date.now() / 1000 - 0.1;
  meter.createCounter('items').add(1);
  const starts: number[] = [];
  for (let i = 0; i < 2; i++) {
    const { resourceMetrics } = await reader.collect();
    const [point] = resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints ?? [];
    assert.ok(point);
    const startS = point.startTime[0] + point.startTime[1] / 1e9;
    const endS = point.endTime[0] + point.endTime[1] / 1e9;
    starts.push(startS);
    assert.ok(startS >= beforeS && startS <= endS);
  }
  assert.equal(starts[0], starts[1]);
});

test('CounterRegistry limits the attribute sets of a counter like the SDK', async () => {
  const { meter, collect } = createCollected(true);
  const counter = meter.createCounter('items');
  for (let i = 0; i < 3000; i++) counter.add(1, { i });
  counter.add(1, { i: 0 });
  const [items] = await collect();
  assert.equal(items?.dataPoints.length, 2000);
  assert.deepEqual(items?.dataPoints.at(-1), { attributes: { 'otel.metric.overflow': true }, value: 1001 });
  assert.equal(items?.dataPoints[0]?.value, 2);
});

test('CounterRegistry leaves out what a level does not include, and passes other instruments to the SDK', async () => {
  const { meter, collect } = createCollected(true, (name) => name !== 'ticks');
  meter.createCounter('ticks').add(1);
  meter.createGauge('watts').record(3);
  assert.deepEqual(
    (await collect()).map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints[0]?.value]),
    [['watts', 3]],
  );
  assert.equal(typeof new CounterRegistry(() => true).createMeter(createNoopMeter()).createGauge, 'function');
});

test('CounterRegistry reads the attributes of an object once', () => {
  let looks = 0;
  const attributes = new Proxy(
    { processor: 'power' },
    {
      ownKeys(target) {
        looks += 1;
        return Reflect.ownKeys(target);
      },
    },
  );
  const counter = createCollected(true).meter.createCounter('items');
  for (let i = 0; i < 3; i++) counter.add(1, attributes);
  assert.equal(looks, 1);
});

test('CounterRegistry has no scope while nothing was counted', async () => {
  const book = new CounterRegistry(() => true);
  book.createMeter(createNoopMeter()).createCounter('items');
  assert.deepEqual((await book.collect()).resourceMetrics.scopeMetrics, []);
});
