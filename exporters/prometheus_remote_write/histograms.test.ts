import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistogramRow, HistogramRows } from '../../src/model/histogram-table.js';
import type { HistogramSeries } from '../../src/model/series.js';
import type { RemoteWriteEncoder } from './encoder.js';
import { at, counter, openEncoder, startMs } from './encoder.fixture.js';

function histogramOf(kind: 'histogram' | 'exponential_histogram'): HistogramSeries {
  return { ...counter, metric: { name: `a.${kind}`, unit: 's', description: 'H', kind }, attributes: {} };
}

function addHistogram(
  encoder: RemoteWriteEncoder,
  series: HistogramSeries,
  ms: number,
  fill: (row: HistogramRow) => void,
) {
  const rows = new HistogramRows();
  const row = new HistogramRow();
  fill(row);
  rows.add(series, 0, row);
  encoder.addHistograms(rows.take(at(ms)));
}

test('RemoteWriteEncoder writes a series for each bucket of a histogram, and their ends', () => {
  const { encoder, take } = openEncoder();
  const series = histogramOf('histogram');
  addHistogram(encoder, series, 1, (row) => {
    row.count = 6;
    row.sum = 9.5;
    row.layout = { kind: 'histogram', bounds: Float64Array.of(0.5, 1) };
    row.buckets = Float64Array.of(1, 2, 3);
  });
  const lines = take().map(({ labels, type, samples }) => [
    labels['__name__'],
    labels['le'],
    type,
    samples[0]?.value,
  ]);
  assert.deepEqual(lines, [
    ['a_histogram_seconds_bucket', '0.5', 3, 1],
    ['a_histogram_seconds_bucket', '1.0', 3, 3],
    ['a_histogram_seconds_bucket', '+Inf', 3, 6],
    ['a_histogram_seconds_sum', undefined, 3, 9.5],
    ['a_histogram_seconds_count', undefined, 3, 6],
  ]);
  encoder.addHistograms({ ...new HistogramRows().take(at(2)), ended: [series] });
  const ends = take().flatMap(({ samples }) => samples.map(({ value }) => value));
  assert.deepEqual(ends, ['stale', 'stale', 'stale', 'stale', 'stale']);
});

function fillExponential(row: HistogramRow): void {
  const limits = {
    scale: 0,
    zeroThreshold: 0,
    positiveOffset: -1,
    positiveCount: 3,
    negativeOffset: 0,
    negativeCount: 0,
  };
  row.layout = { kind: 'exponential_histogram', ...limits };
  Object.assign(row, { count: 6, sum: 9.5, buckets: Float64Array.of(1, 2, 3, 0) });
}

test('RemoteWriteEncoder writes exponential histograms as native ones, or as buckets', () => {
  const series = histogramOf('exponential_histogram');
  const native = openEncoder();
  addHistogram(native.encoder, series, 1000, fillExponential);
  native.encoder.addHistograms({ ...new HistogramRows().take(at(2000)), ended: [series] });
  const [written, ended] = native.take();
  assert.deepEqual(written?.histograms, [
    {
      count: 6,
      sum: 9.5,
      schema: 0,
      zeroCount: 1,
      positive: { offset: 0, deltas: [2, 1, -3] },
      atMs: startMs + 1000,
      startMs,
    },
  ]);
  assert.equal(ended?.histograms[0]?.sum, 'stale');
  const classic = openEncoder({ hasNativeHistograms: () => false });
  addHistogram(classic.encoder, series, 1000, fillExponential);
  assert.deepEqual(
    classic.take().map(({ labels, samples }) => [labels['le'], samples[0]?.value]),
    [
      ['0.0', 1],
      ['1.0', 3],
      ['2.0', 6],
      ['4.0', 6],
      ['+Inf', 6],
      [undefined, 9.5],
      [undefined, 6],
    ],
  );
});
