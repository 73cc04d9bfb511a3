import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketless, createHistogramEnding } from '../../src/model/histogram-table.js';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../../src/model/histogram.fixture.js';
import { createRow } from '../../src/model/table.js';
import { renderLines, renderText } from './page-text.fixture.js';
import { SeriesStore } from './store.js';

function createStore(options: { readonly endedForMs?: number; readonly hasStarts?: boolean } = {}) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const shared = { identityLabels: [], common: {}, host: {}, endedForMs: 0, warn };
  return { store: new SeriesStore({ ...shared, ...options }), warnings };
}

const series = histogramOf({ attributes: { route: '/"x"' }, start: 1_500_000_000n });

const gaugeOf = (name: string) => ({
  metric: { name, unit: '', description: '', kind: 'gauge', valueType: 'double' } as const,
  resource: { attributes: {} },
  attributes: {},
  start: 0n,
});

test('writePage writes histograms as classic text', () => {
  const { store } = createStore();
  store.takeHistograms(histogramTable([[series, 2e9, rowOf([1, 2, 3], { sum: 4.5 })]]), 0);
  assert.equal(
    renderText(store.takeSnapshot(0), 'classic'),
    String.raw`# HELP http_server_request_duration_seconds Duration of requests
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{route="/\"x\"",le="0.1"} 1
http_server_request_duration_seconds_bucket{route="/\"x\"",le="1"} 3
http_server_request_duration_seconds_bucket{route="/\"x\"",le="+Inf"} 6
http_server_request_duration_seconds_sum{route="/\"x\""} 4.5
http_server_request_duration_seconds_count{route="/\"x\""} 6
`,
  );
});

test('writePage writes histograms as OpenMetrics, with unit and start', () => {
  const { store } = createStore({ hasStarts: true });
  store.takeHistograms(histogramTable([[histogramOf({ start: 1_500_000_000n }), 2e9, rowOf([1, 2, 3])]]), 0);
  assert.equal(
    renderText(store.takeSnapshot(0), 'openmetrics'),
    `# HELP http_server_request_duration_seconds Duration of requests
# TYPE http_server_request_duration_seconds histogram
# UNIT http_server_request_duration_seconds seconds
http_server_request_duration_seconds_bucket{le="0.1"} 1
http_server_request_duration_seconds_bucket{le="1.0"} 3
http_server_request_duration_seconds_bucket{le="+Inf"} 6
http_server_request_duration_seconds_count 6
http_server_request_duration_seconds_created 1.5
# EOF
`,
  );
});

test('writePage writes no start of a histogram that has none', () => {
  const { store } = createStore({ hasStarts: true });
  store.takeHistograms(histogramTable([[histogramOf({ start: 0n }), 2e9, rowOf([1, 2, 3])]]), 0);
  const page = renderText(store.takeSnapshot(0), 'openmetrics');
  assert.match(page, /_count 6\n# EOF\n$/u);
});

test('writePage writes exponential histograms with the bounds of their buckets, in ascending order', () => {
  const { store } = createStore();
  const layout = { ...powersOfTwo, negativeOffset: 0, negativeCount: 2, zeroThreshold: 0.5 };
  store.takeHistograms(
    histogramTable([[exponentialOf(), 2e9, rowOf([7, 1, 0, 2, 4, 5], { layout, sum: 1 })]]),
    0,
  );
  assert.deepEqual(renderLines(store.takeSnapshot(0)), [
    'rpc_duration_seconds_bucket{le="-2"} 5',
    'rpc_duration_seconds_bucket{le="-1"} 9',
    'rpc_duration_seconds_bucket{le="0.5"} 16',
    'rpc_duration_seconds_bucket{le="2"} 17',
    'rpc_duration_seconds_bucket{le="4"} 17',
    'rpc_duration_seconds_bucket{le="8"} 19',
    'rpc_duration_seconds_bucket{le="+Inf"} 19',
    'rpc_duration_seconds_sum 1',
    'rpc_duration_seconds_count 19',
  ]);
});

test('writePage merges buckets of wide exponential histograms, and keeps every count', () => {
  const { store } = createStore();
  const layout = { ...powersOfTwo, scale: 5, positiveOffset: -60, positiveCount: 120, negativeCount: 0 };
  const buckets = Array.from({ length: 121 }, () => 1);
  store.takeHistograms(histogramTable([[exponentialOf(), 2e9, rowOf(buckets, { layout })]]), 0);
  const lines = renderLines(store.takeSnapshot(0));
  assert.ok(lines.length <= 35, `${lines.length} lines`);
  assert.equal(lines.at(-2), 'rpc_duration_seconds_bucket{le="+Inf"} 121');
});

test('SeriesStore shows the last histogram, none in a gap, and none of a series that ended', () => {
  const { store } = createStore({ endedForMs: 5 });
  const counts = (nowMs: number) =>
    renderLines(store.takeSnapshot(nowMs)).filter((line) => line.includes('_count'));
  const one = histogramOf();
  store.takeHistograms(
    histogramTable([
      [one, 2e9, rowOf([1, 0, 0])],
      [one, 3e9, rowOf([2, 0, 0])],
    ]),
    0,
  );
  assert.deepEqual(counts(1), ['http_server_request_duration_seconds_count 2']);
  store.takeHistograms(histogramTable([[one, 4e9, rowOf([], { count: NaN })]]), 2);
  assert.deepEqual(counts(2), []);
  const again = histogramOf({ start: 5_000_000_000n });
  store.takeHistograms(histogramTable([[again, 6e9, rowOf([1, 0, 0])]], [one]), 3);
  assert.deepEqual(counts(3), ['http_server_request_duration_seconds_count 1']);
  store.takeHistograms(createHistogramEnding([again], 7n), 4);
  assert.equal(counts(5).length, 1);
  assert.equal(counts(1e9).length, 0);
});

test('SeriesStore gives histograms of two resources different labels, and keeps the label of buckets', () => {
  const { store } = createStore();
  const [one, other] = ['a', 'b'].map((id) =>
    histogramOf({ resource: { attributes: { 'service.instance.id': id } }, attributes: { le: 'x' } }),
  );
  const bare = rowOf([], { layout: bucketless, count: 3 });
  store.takeHistograms(
    histogramTable([
      [one, 2e9, bare],
      [other, 2e9, bare],
    ]),
    0,
  );
  assert.deepEqual(
    renderLines(store.takeSnapshot(0)).filter((line) => line.includes('_bucket')),
    [
      'http_server_request_duration_seconds_bucket{exported_le="x",le="+Inf"} 3',
      'http_server_request_duration_seconds_bucket{exported_le="x",service_instance_id="b",le="+Inf"} 3',
    ],
  );
});

test('SeriesStore shows no histogram whose names are in use, and no number with the name of a histogram', () => {
  const { store, warnings } = createStore();
  store.take(createRow([gaugeOf('rpc_duration_seconds_sum')], 2n, Float64Array.of(1)), 0);
  store.takeHistograms(
    histogramTable([
      [exponentialOf(), 2e9, rowOf([7, 1, 0, 2, 4], { layout: powersOfTwo })],
      [histogramOf(), 2e9, rowOf([1, 0, 0])],
    ]),
    0,
  );
  store.take(createRow([gaugeOf('http_server_request_duration_seconds_bucket')], 3n, Float64Array.of(1)), 0);
  const names = renderLines(store.takeSnapshot(0)).map((line) => line.replace(/[ {].*/u, ''));
  assert.deepEqual(
    [...new Set(names)],
    [
      'rpc_duration_seconds_sum',
      ...['bucket', 'count'].map((suffix) => `http_server_request_duration_seconds_${suffix}`),
    ],
  );
  assert.match(warnings.join('\n'), /Cannot expose the histogram "rpc.duration" as "rpc_duration_seconds"/u);
  assert.match(warnings.join('\n'), /Cannot expose the gauge "http_server_request_duration_seconds_bucket"/u);
});
