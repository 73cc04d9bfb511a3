import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistogramRow, HistogramRows } from '../model/histogram-table.js';
import type { AnySeries, HistogramSeries, Series } from '../model/series.js';
import { createEnding, createRow } from '../model/table.js';
import { AlignedWindows } from './aligned-windows.js';
import type { Take, WindowedSource } from './windowed-source.js';
import { createSeries, epoch, unixNs } from './windows.fixture.js';

/** Windows of 1 s, and what each gave of each series: `second name value`. */
function create(take: Take = 'auto') {
  const results: string[] = [];
  const live = new Set<readonly [name: string, source: WindowedSource]>();
  const windows = new AlignedWindows<readonly [string, WindowedSource]>(
    { windowNs: 1e9, lagNs: 3e9 },
    {
      join({ metric }: AnySeries, source, sums) {
        if (metric.name === 'other') return undefined;
        if (sums) live.add([`sum of ${metric.name}`, sums]);
        const membership = [metric.name, source] as const;
        live.add(membership);
        return membership;
      },
      leave(membership) {
        live.delete(membership);
        results.push(`left ${membership[0]}`);
      },
      endWindow(window, at) {
        const second = Number(at - epoch) / 1e9;
        for (const [name, source] of live) results.push(`${second} ${name} ${source.take(window, take)}`);
      },
    },
  );
  const feed = (atS: number, series: readonly Series[], ...values: number[]) =>
    windows.consume(createRow(series, unixNs(atS), Float64Array.from(values)));
  return { windows, feed, results };
}

test('AlignedWindows ends a window once all series that are of use were read at its end', () => {
  const [a, b, other] = [createSeries('a'), createSeries('b'), createSeries('other')];
  const { feed, results } = create();
  feed(0.5, [a, other], 1, 1);
  feed(0.6, [b], 6);
  feed(1.5, [a, other], 3, 2);
  assert.deepEqual(results, []);
  feed(2, [b], 20);
  assert.deepEqual(results, ['1 a 2', '1 b 10']);
});

test('AlignedWindows waits no longer than its lag', () => {
  const [a, b] = [createSeries('a'), createSeries('b')];
  const { feed, results } = create();
  feed(0.5, [a, b], 1, 1);
  feed(3.9, [a], 7.8);
  assert.deepEqual(results, []);
  feed(4, [a], 8);
  assert.deepEqual(results, ['1 a 2', '1 b NaN']);
});

test('AlignedWindows gives what a series had until its end, and then lets it go', () => {
  const [a, b] = [createSeries('a'), createSeries('b')];
  const { windows, feed, results } = create();
  feed(0.5, [a, b], 1, 1);
  feed(1.5, [a, b], 3, 3);
  windows.consume(createEnding([b], unixNs(1.5)));
  feed(3, [a], 6);
  assert.deepEqual(results, ['1 a 2', '1 b 2', '2 a 2', '2 b 1', 'left b', '3 a 2']);
});

test('AlignedWindows counts no value that a counter had at its start, since it says nothing of any window', () => {
  const [a] = [createSeries('a', { startS: 0.5 })];
  const { feed, results } = create();
  feed(0.5, [a], 1e9);
  feed(1.5, [a], 1e9 + 10);
  feed(2, [a], 1e9 + 15);
  assert.deepEqual(results, ['1 a 5', '2 a 10']);
  const { feed: feedValue, results: values } = create('value');
  feedValue(0.5, [a], 1e9);
  feedValue(1.5, [a], 1e9 + 10);
  assert.deepEqual(values, ['1 a 1000000005']);
});

test('AlignedWindows reads the counts and the sums of histograms', () => {
  const series: HistogramSeries = {
    metric: { name: 'latency', unit: 's', description: '', kind: 'histogram' },
    resource: { attributes: {} },
    attributes: {},
    start: epoch,
  };
  const { windows, results } = create();
  const rows = new HistogramRows();
  for (const [second, count] of [
    [0.5, 5],
    [1.5, 25],
    [2, 40],
  ] as const) {
    const row = new HistogramRow();
    row.count = count;
    row.sum = count / 10;
    rows.add(series, second * 1e9, row);
  }
  windows.consumeHistograms(rows.take(epoch));
  assert.deepEqual(results, ['1 sum of latency 1.5', '1 latency 15', '2 sum of latency 2.5', '2 latency 25']);
});

test('AlignedWindows restarts with earlier windows when the clock was set back', () => {
  const { windows, feed, results } = create();
  const before = [createSeries('a', { startS: 3600 })];
  for (const atS of [3600, 3601, 3602.5]) feed(atS, before, 10 * (atS - 3600));
  windows.consume(createEnding(before, unixNs(1)));
  const after = [createSeries('a', { startS: 1 })];
  for (const atS of [1, 2, 3.5]) feed(atS, after, 3 * (atS - 1));
  assert.deepEqual(results, ['3601 a 10', '3602 a 10', 'left a', '2 a 3', '3 a 3']);
});

test('AlignedWindows has no window between those of series that ended and those of later ones', () => {
  const { windows, feed, results } = create();
  const before = [createSeries('a')];
  for (const atS of [0, 1.5]) feed(atS, before, 10 * atS);
  windows.consume(createEnding(before, unixNs(2)));
  const after = [createSeries('b', { startS: 86_400 })];
  for (const atS of [86_400, 86_401, 86_402.5]) feed(atS, after, 3 * (atS - 86_400));
  assert.deepEqual(results, ['1 a 10', '2 a 5', '2 b 0', 'left a', '86401 b 3', '86402 b 3']);
});
