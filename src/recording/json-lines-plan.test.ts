import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Attributes, Metric, Series } from '../model/series.js';
import {
  createJsonPlan,
  metricFrame,
  metricTail,
  pointHead,
  resourceFrame,
  type JsonRun,
} from './json-lines-plan.js';

const host = { attributes: { 'host.name': 'a' } };

function seriesOf(changes: Partial<Metric> = {}, more: Partial<Series> = {}): Series {
  const metric: Metric = {
    name: 'x',
    unit: 'J',
    description: 'd',
    kind: 'counter',
    valueType: 'double',
    ...changes,
  };
  return { metric, resource: host, attributes: {}, start: 5n, ...more };
}

const withAttributes = (attributes: Attributes) => seriesOf({}, { attributes });
const columnsOf = (runs: readonly JsonRun[]) =>
  runs.map(({ resources }) =>
    resources.map(({ metrics }) => metrics.map(({ points }) => points.map(({ column }) => column))),
  );

test('pointHead ends before the first digit of the instant', () => {
  assert.equal(pointHead(seriesOf()), '{"startTimeUnixNano":"5","timeUnixNano":"');
  assert.equal(pointHead(seriesOf({}, { start: 0n })), '{"timeUnixNano":"');
  assert.equal(
    pointHead(withAttributes({ a: 'b' })),
    '{"attributes":[{"key":"a","value":{"stringValue":"b"}}],"startTimeUnixNano":"5","timeUnixNano":"',
  );
});

test('pointHead writes each type of attribute as OTLP has it', () => {
  const attributes = { t: 'say "x"', b: false, i: 7, n: -0, d: 1.5, w: 2 ** 60, u: Infinity, x: NaN };
  const values = [...pointHead(withAttributes(attributes)).matchAll(/"value":\{([^}]*)\}/gu)].map(
    ([, text]) => text,
  );
  assert.deepEqual(
    values,
    [
      String.raw`"stringValue":"say \"x\""`,
      '"boolValue":false',
      '"intValue":"7"',
      '"intValue":"0"',
      '"doubleValue":1.5',
      '"doubleValue":1152921504606846976',
      '"doubleValue":"Infinity"',
      '"doubleValue":"NaN"',
    ].map((text) => text.replace('1152921504606846976', String(2 ** 60))),
  );
});

test('metricTail states temporality and monotony of sums, and nothing of gauges', () => {
  assert.equal(metricTail('gauge'), ']}}');
  assert.equal(metricTail('counter'), '],"aggregationTemporality":2,"isMonotonic":true}}');
  assert.equal(metricTail('updowncounter'), '],"aggregationTemporality":2}}');
  assert.equal(metricTail('histogram'), '],"aggregationTemporality":2}}');
  assert.equal(
    metricTail('gauge', 'int'),
    ']},"metadata":[{"key":"joulemetry.gap","value":{"stringValue":"int"}}]}',
  );
});

test('metricFrame leaves empty texts out, and names the field by the kind', () => {
  assert.equal(
    metricFrame(seriesOf().metric).head,
    '{"name":"x","description":"d","unit":"J","sum":{"dataPoints":[',
  );
  const bare = seriesOf({ unit: '', description: '', kind: 'gauge' }).metric;
  assert.equal(metricFrame(bare).head, '{"name":"x","gauge":{"dataPoints":[');
  assert.match(
    metricFrame({ name: 'h', unit: 's', description: '', kind: 'exponential_histogram' }).head,
    /"exponentialHistogram":\{/u,
  );
  assert.match(
    metricFrame({ name: 'h', unit: 's', description: '', kind: 'histogram' }).gapTail,
    /"stringValue":"histogram"/u,
  );
});

test('metricFrame has one key for equal metrics, and another one for each difference', () => {
  const changes: readonly Partial<Metric>[] = [
    {},
    { name: 'y' },
    { unit: 'W' },
    { description: '' },
    { kind: 'gauge' },
    { valueType: 'int' },
  ];
  const keys = changes.map((change) => metricFrame(seriesOf(change).metric).key);
  assert.equal(new Set(keys).size, changes.length);
  assert.equal(metricFrame(seriesOf().metric).key, keys[0]);
});

test('resourceFrame writes a resource without attributes as an empty object', () => {
  assert.match(
    resourceFrame({ attributes: {} }).head,
    /^\{"resource":\{\},"scopeMetrics":\[\{"scope":\{"name":"joulemetry",/u,
  );
  assert.match(resourceFrame(host).head, /^\{"resource":\{"attributes":\[\{"key":"host\.name"/u);
});

test('createJsonPlan puts columns of one resource and metric together, in order of appearance', () => {
  const other = { attributes: { 'host.name': 'b' } };
  const series = [
    seriesOf(),
    seriesOf({}, { resource: other }),
    seriesOf({ name: 'y' }),
    seriesOf({}, { attributes: { i: 1 } }),
    seriesOf({ name: 'y' }, { resource: { attributes: { 'host.name': 'b' } } }),
  ];
  assert.deepEqual(columnsOf(createJsonPlan(series, 1e6)), [
    [
      [[0, 3], [2]],
      [[1], [4]],
    ],
  ]);
});

test('createJsonPlan divides columns into runs of which a row fits into a line', () => {
  const series = Array.from({ length: 10 }, (_, i) => withAttributes({ i, text: 'x'.repeat(100) }));
  const [all] = createJsonPlan(series, 1e6);
  assert.ok(all);
  const runs = createJsonPlan(series, (all.rowBytes + all.frameBytes) / 2);
  assert.deepEqual(columnsOf(runs), [[[[0, 1, 2, 3, 4]]], [[[5, 6, 7, 8, 9]]]]);
  assert.equal(createJsonPlan(series, 10).length, 10);
  assert.deepEqual(createJsonPlan([], 10), []);
  assert.equal(
    runs.reduce((sum, { rowBytes }) => sum + rowBytes, 0),
    all.rowBytes,
  );
});

test('createJsonPlan has the text of a point with and without the metric before it', () => {
  const [run] = createJsonPlan([seriesOf({ valueType: 'int' }), withAttributes({ i: 1 })], 1e6);
  const [first, second] = run?.resources[0]?.metrics ?? [];
  const [point] = first?.points ?? [];
  assert.deepEqual([point?.isInt, second?.points[0]?.isInt], [true, false]);
  assert.equal(String(point?.lead), ',{"startTimeUnixNano":"5","timeUnixNano":"');
  assert.match(
    String(point?.firstLead),
    /^\{"name":"x".*"dataPoints":\[\{"startTimeUnixNano":"5","timeUnixNano":"$/u,
  );
  assert.match(String(first?.gapTail), /"stringValue":"int"/u);
});
