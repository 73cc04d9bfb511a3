import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHistograms } from './check-histograms.js';
import { createHistogramEnding } from './histogram-table.js';
import { histogramOf, histogramTable, rowOf } from './histogram.fixture.js';
import { HistogramMap } from './map-histograms.js';
import { publisherOf, setPublisher, type HistogramSeries } from './series.js';

const dropAttributes = (series: HistogramSeries) => ({ ...series, attributes: {} });

test('HistogramMap passes the table itself, when no series changes', () => {
  const map = new HistogramMap({ map: (series) => series, onConflict: () => assert.fail() });
  const table = histogramTable([[histogramOf(), 1_000, rowOf([1, 2, 3])]]);
  assert.equal(map.apply(table), table);
});

test('HistogramMap gives every table the same new series, and the buckets that came', () => {
  const map = new HistogramMap({ map: dropAttributes, onConflict: () => assert.fail() });
  const series = histogramOf({ attributes: { route: '/' } });
  const table = histogramTable([[series, 1_000, rowOf([1, 2, 3])]]);
  const later = { ...histogramTable([[series, 1_001, rowOf([2, 2, 3])]], [series]), series: table.series };
  const [first, second] = [map.apply(table), map.apply(later)];
  assert.deepEqual(first?.series[0]?.attributes, {});
  assert.equal(first?.series, second?.series);
  assert.equal(first?.buckets, table.buckets);
  assert.deepEqual(second?.ended, second?.series);
});

test('HistogramMap keeps the first of series that become the same, until it ends', () => {
  const conflicts: HistogramSeries[] = [];
  const map = new HistogramMap({ map: dropAttributes, onConflict: (mapped) => conflicts.push(mapped) });
  const [one, other] = ['/', '/cart'].map((route) => histogramOf({ attributes: { route } }));
  const series = [one, other];
  const at = (time: number, counts: readonly [number, number]) => ({
    ...histogramTable([
      [one, time, rowOf([counts[0], 0, 0])],
      [other, time, rowOf([0, counts[1], 0])],
    ]),
    series,
  });
  const passed = [
    map.apply(at(1_000, [5, 9])),
    map.apply(at(1_001, [6, 10])),
    map.apply(createHistogramEnding([one], 1_002n)),
    map.apply(histogramTable([[other, 1_003, rowOf([0, 11, 0])]])),
    map.apply(createHistogramEnding([other], 1_004n)),
  ].flatMap((table) => table ?? []);
  checkHistograms(passed);
  assert.deepEqual(
    passed.map(({ buckets }) => [...buckets]),
    [[5, 0, 0], [6, 0, 0], [], [0, 11, 0], []],
  );
  assert.deepEqual(
    passed.map(({ ended = [] }) => ended.length),
    [0, 0, 1, 0, 1],
  );
  assert.equal(conflicts.length, 1);
});

test('HistogramMap passes nothing of a table whose series are all left out', () => {
  const map = new HistogramMap({ map: dropAttributes, onConflict() {} });
  const [one, other] = ['/', '/cart'].map((route) => histogramOf({ attributes: { route } }));
  map.apply(histogramTable([[one, 1_000, rowOf([1, 0, 0])]]));
  assert.equal(map.apply(histogramTable([[other, 1_000, rowOf([1, 0, 0])]])), undefined);
  assert.equal(map.apply(createHistogramEnding([other], 1_001n)), undefined);
});

test('HistogramMap passes the table itself, when series end under the name that they had', () => {
  const map = new HistogramMap({ map: (series) => series, onConflict: () => assert.fail() });
  const series = histogramOf();
  const last = histogramTable([[series, 1_000, rowOf([1, 2, 3])]], [series]);
  assert.equal(map.apply(last), last);
  assert.equal(map.apply(createHistogramEnding([series], 1_001n)), undefined, 'it has ended already');
});

test('HistogramMap maps a series again, when it returns after its end', () => {
  const asked: HistogramSeries[] = [];
  const map = new HistogramMap({
    map(series) {
      asked.push(series);
      return dropAttributes(series);
    },
    onConflict: () => assert.fail(),
  });
  const series = histogramOf({ attributes: { route: '/' } });
  const first = map.apply(histogramTable([[series, 1_000, rowOf([1, 0, 0])]]));
  map.apply(histogramTable([[series, 1_001, rowOf([1, 0, 0])]]));
  assert.equal(asked.length, 1);
  map.apply(createHistogramEnding([series], 1_002n));
  const again = map.apply(histogramTable([[series, 1_003, rowOf([1, 0, 0])]]));
  assert.equal(asked.length, 2);
  assert.notEqual(again?.series[0], first?.series[0]);
});

test('HistogramMap keeps the rows of the first series only, with their figures', () => {
  const map = new HistogramMap({ map: dropAttributes, onConflict() {} });
  const [one, other, third] = ['/', '/cart', '/pay'].map((route) => histogramOf({ attributes: { route } }));
  assert.ok(one && other && third);
  const kept = map.apply(
    histogramTable([
      [one, 1_000, rowOf([1, 0, 0], { sum: 1 })],
      [other, 1_001, rowOf([0, 2, 0], { sum: 2 })],
      [third, 1_002, rowOf([0, 0, 3], { sum: 3 })],
    ]),
  );
  assert.deepEqual(
    [[...(kept?.sums ?? [])], [...(kept?.offsets ?? [])], kept?.series.length],
    [[1], [1_000], 1],
  );
});

test('HistogramMap reports the end of a series that another one replaces in the same table', () => {
  const map = new HistogramMap({ map: dropAttributes, onConflict: () => assert.fail() });
  const [one, other] = ['/', '/cart'].map((route) => histogramOf({ attributes: { route } }));
  assert.ok(one && other);
  const first = map.apply(histogramTable([[one, 1_000, rowOf([1, 0, 0])]]));
  const second = map.apply(histogramTable([[other, 1_001, rowOf([0, 1, 0])]], [one]));
  assert.deepEqual(second?.ended, first?.series);
  assert.notEqual(second?.series[0], first?.series[0]);
});

test('HistogramMap joins nothing that two receivers publish, and passes the publisher on', () => {
  const map = new HistogramMap({ map: dropAttributes, onConflict: () => assert.fail() });
  const [one, other] = ['a', 'b'].map((route) => histogramOf({ attributes: { route } }));
  assert.ok(one && other);
  setPublisher(one, 'otlp');
  setPublisher(other, 'otlp/2');
  const mapped = map.apply(
    histogramTable([
      [one, 1_000, rowOf([1, 0, 0])],
      [other, 1_000, rowOf([0, 1, 0])],
    ]),
  );
  assert.deepEqual(mapped?.series.map(publisherOf), ['otlp', 'otlp/2']);
});

test('HistogramMap reports each series that is left out once', () => {
  const conflicts: HistogramSeries[] = [];
  const map = new HistogramMap({ map: dropAttributes, onConflict: (mapped) => conflicts.push(mapped) });
  const [one, other, third] = ['/', '/cart', '/pay'].map((route) => histogramOf({ attributes: { route } }));
  assert.ok(one && other && third);
  for (const second of [1_000, 1_001]) {
    map.apply(
      histogramTable([one, other, third].map((series) => [series, second, rowOf([1, 0, 0])] as const)),
    );
  }
  assert.equal(conflicts.length, 2);
});
