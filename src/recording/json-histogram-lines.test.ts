import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistogramRow, type HistogramTable } from '../model/histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
  twoBounds,
} from '../model/histogram.fixture.js';
import { linesOf } from './formats.fixture.js';
import { histogramLines } from './json-histogram-lines.js';

interface Line {
  readonly resourceMetrics: readonly {
    readonly resource: unknown;
    readonly scopeMetrics: readonly { readonly metrics: readonly Readonly<Record<string, unknown>>[] }[];
  }[];
}

function write(table: HistogramTable, maxBytes = 1e6, isEnding = false): readonly Line[] {
  return linesOf(histogramLines(table, maxBytes, isEnding)).map((line) => JSON.parse(line) as Line);
}

const metricsOf = ({ resourceMetrics }: Line) =>
  resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));

/** The text of the only point of a table. */
function pointText(row: HistogramRow): string {
  const series = row.layout.kind === 'histogram' ? histogramOf() : exponentialOf();
  const text = histogramLines(histogramTable([[series, 2_000, row]]), 1e6);
  return /"dataPoints":\[(.*)\],"aggregationTemporality"/u.exec(text)?.[1] ?? text;
}

const times = '"startTimeUnixNano":"1000","timeUnixNano":"2000"';

test('histogramLines writes explicit buckets with the fields of the Collector, in its order', () => {
  assert.equal(
    pointText(rowOf([1, 2, 3], { sum: 4.5, min: 0.05, max: 2 })),
    `{${times},"count":"6","sum":4.5,"bucketCounts":["1","2","3"],"explicitBounds":[0.1,1],"min":0.05,"max":2}`,
  );
});

test('histogramLines writes exponential buckets with the fields of the Collector, in its order', () => {
  const layout = { ...powersOfTwo, scale: 3, zeroThreshold: 0.25 };
  assert.equal(
    pointText(rowOf([1, 2, 3, 4, 5], { layout, sum: 9, min: -1, max: 8 })),
    `{${times},"count":"15","sum":9,"scale":3,"zeroCount":"1","positive":{"bucketCounts":["2","3","4"]},` +
      '"negative":{"offset":-1,"bucketCounts":["5"]},"min":-1,"max":8,"zeroThreshold":0.25}',
  );
});

test('histogramLines leaves out what is 0, empty or unknown', () => {
  const layout = { ...powersOfTwo, positiveCount: 0, negativeOffset: 0, negativeCount: 0 };
  assert.equal(pointText(rowOf([0], { layout })), `{${times},"positive":{},"negative":{}}`);
  const bounds = { kind: 'histogram', bounds: new Float64Array(0) } as const;
  assert.equal(pointText(rowOf([], { layout: bounds, count: 7 })), `{${times},"count":"7"}`);
});

test('histogramLines writes sums and extremes that are 0', () => {
  assert.match(pointText(rowOf([0, 1, 0], { sum: 0, min: 0, max: 0 })), /"sum":0,.*"min":0,"max":0\}$/u);
});

test('histogramLines writes infinite figures as texts, and counts beyond 2^53 in plain digits', () => {
  const row = rowOf([2 ** 60, 0, 0], { sum: Infinity, min: -Infinity, max: 1e21 });
  assert.equal(
    pointText(row),
    `{${times},"count":"1152921504606846976","sum":"Infinity","bucketCounts":["1152921504606846976","0","0"],` +
      '"explicitBounds":[0.1,1],"min":"-Infinity","max":1e+21}',
  );
});

test('histogramLines writes a point without a value for a gap, and marks the metric', () => {
  const series = histogramOf();
  const gap = new HistogramRow().clear(twoBounds);
  const table = histogramTable([
    [series, 2_000, rowOf([1, 0, 0])],
    [series, 2_001, gap],
  ]);
  const [metric = {}] = write(table).flatMap(metricsOf);
  assert.deepEqual(metric['metadata'], [{ key: 'joulemetry.gap', value: { stringValue: 'histogram' } }]);
  const { dataPoints } = metric['histogram'] as { readonly dataPoints: readonly object[] };
  assert.deepEqual(dataPoints[1], { startTimeUnixNano: '1000', timeUnixNano: '2001', flags: 1 });
  const [ending] = write(histogramTable([[series, 2_001, gap]]), 1e6, true).flatMap(metricsOf);
  assert.equal(ending?.['metadata'], undefined);
});

test('histogramLines marks a metric whose first point is a gap', () => {
  const series = histogramOf();
  const table = histogramTable([
    [series, 2_000, new HistogramRow().clear(twoBounds)],
    [series, 2_001, rowOf([1, 0, 0])],
  ]);
  assert.notEqual(write(table).flatMap(metricsOf)[0]?.['metadata'], undefined);
});

test('histogramLines writes a gap of exponential buckets with empty sides', () => {
  const gap = new HistogramRow().clear(powersOfTwo);
  assert.equal(pointText(gap), `{${times},"positive":{},"negative":{},"flags":1}`);
});

test('histogramLines marks only the metric that has a gap', () => {
  const [one, other] = [histogramOf({ name: 'a' }), histogramOf({ name: 'b' })];
  const table = histogramTable([
    [one, 2_000, new HistogramRow().clear(twoBounds)],
    [other, 2_000, rowOf([1, 0, 0])],
  ]);
  assert.deepEqual(
    write(table)
      .flatMap(metricsOf)
      .map(({ name, metadata }) => [name, metadata === undefined]),
    [
      ['a', false],
      ['b', true],
    ],
  );
});

test('histogramLines groups points by resource and metric, in whatever order they come', () => {
  const resources = ['x', 'y'].map((host) => ({ attributes: { host } }));
  const series = ['a', 'b'].flatMap((name) => resources.map((resource) => histogramOf({ name, resource })));
  const table = histogramTable(series.map((one) => [one, 2_000, rowOf([1, 0, 0])] as const));
  const [line, ...others] = write(table);
  assert.equal(others.length, 0);
  assert.deepEqual(
    line?.resourceMetrics.map(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name)),
    ),
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
  );
});

test('histogramLines writes equal resources and metrics once, also if they are different objects', () => {
  const table = histogramTable(
    ['a', 'b', 'a', 'b'].map((name, i) => [
      histogramOf({ name, resource: { attributes: { host: 'x' } }, attributes: { i } }),
      2_000,
      rowOf([1, 0, 0]),
    ]),
  );
  const [line, ...others] = write(table);
  assert.equal(others.length, 0);
  assert.equal(line?.resourceMetrics.length, 1);
  assert.deepEqual(
    line?.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.map(({ metrics }) => metrics.length)),
    [2],
  );
});

const pointsOf = (line: Line) =>
  metricsOf(line).flatMap((metric) => {
    return (metric['histogram'] as { readonly dataPoints: readonly unknown[] }).dataPoints;
  });

/** Points of several resources and metrics, and gaps, whose text has characters of two bytes. */
function createLongTable(): HistogramTable {
  const attributes = { text: 'é'.repeat(20) };
  const series = ['a', 'b', 'c'].flatMap((name) =>
    ['x', 'y'].map((host) => histogramOf({ name, attributes, resource: { attributes: { host } } })),
  );
  return histogramTable(
    Array.from({ length: 60 }, (_, i) => [
      series[i % 6] ?? histogramOf(),
      2_000 + i,
      i % 5 === 0 ? new HistogramRow().clear(twoBounds) : rowOf([1, 2, i]),
    ]),
  );
}

test('histogramLines writes lines that are no longer than the limit, and not much shorter', () => {
  const table = createLongTable();
  for (let maxBytes = 700; maxBytes < 4_000; maxBytes += 7) {
    const lines = linesOf(histogramLines(table, maxBytes));
    const lengths = lines.map((line) => Buffer.byteLength(line) + 1);
    assert.ok(Math.max(...lengths) <= maxBytes, `${Math.max(...lengths)} of ${maxBytes}`);
    // The frames of another metric and resource, and a point, may not have fitted.
    assert.ok(Math.min(...lengths.slice(0, -1)) > maxBytes - 1_200, `${lengths.join(', ')} of ${maxBytes}`);
    assert.equal(lines.flatMap((line) => pointsOf(JSON.parse(line) as Line)).length, 60);
  }
});

test('histogramLines counts the text around the points of each resource', () => {
  const gap = new HistogramRow().clear(twoBounds);
  const table = histogramTable(
    Array.from({ length: 40 }, (_, i) => [
      histogramOf({ resource: { attributes: { host: `host-${i}` } } }),
      2_000,
      gap,
    ]),
  );
  for (let maxBytes = 700; maxBytes < 3_000; maxBytes += 7) {
    const lines = linesOf(histogramLines(table, maxBytes));
    for (const line of lines) assert.ok(Buffer.byteLength(line) < maxBytes, `${line.length} of ${maxBytes}`);
  }
});

test('histogramLines fills lines with points of one metric, counting bytes rather than characters', () => {
  const series = histogramOf({ attributes: { text: 'é'.repeat(200) } });
  const table = histogramTable(Array.from({ length: 200 }, (_, i) => [series, 2_000 + i, rowOf([1, 2, 3])]));
  const lines = linesOf(histogramLines(table, 5_000)).map((line) => Buffer.byteLength(line));
  assert.ok(Math.max(...lines) < 5_000, lines.join(', '));
  assert.ok(Math.min(...lines.slice(0, -1)) > 3_800, lines.join(', '));
});

test('histogramLines writes a point that is longer than the limit on a line of its own, and nothing for no rows', () => {
  const series = histogramOf({ attributes: { text: 'x'.repeat(500) } });
  const table = histogramTable([1, 2, 3].map((i) => [series, 2_000 + i, rowOf([1, 0, 0])] as const));
  assert.equal(write(table, 100).length, 3);
  assert.equal(histogramLines(histogramTable([]), 100), '');
});
