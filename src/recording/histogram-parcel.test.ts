import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  exponentialOf,
  histogramOf,
  histogramTable,
  powersOfTwo,
  rowOf,
} from '../model/histogram.fixture.js';
import { buffersOfHistograms, packHistograms, unpackHistograms } from './histogram-parcel.js';

const series = [histogramOf(), exponentialOf()];
const table = histogramTable([
  [series[0] ?? histogramOf(), 1_000, rowOf([1, 2, 3], { sum: 4, min: 1, max: 2 })],
  [series[1] ?? histogramOf(), 1_001, rowOf([1, 2, 3, 4, 5], { layout: powersOfTwo })],
]);

const pack = () => packHistograms(table, (one) => 10 + series.indexOf(one));

test('unpackHistograms restores the table that packHistograms packed', () => {
  const unpacked = unpackHistograms(pack(), 7n, (number) => series[number - 10] ?? assert.fail());
  assert.deepEqual({ ...unpacked }, { ...table, epoch: 7n });
});

test('packHistograms numbers the series, and copies every list', () => {
  const packed = pack();
  assert.deepEqual([...packed.series], [10, 11]);
  for (const name of ['offsets', 'counts', 'sums', 'minima', 'maxima', 'buckets', 'bucketsFrom'] as const) {
    assert.notEqual(packed[name].buffer, table[name].buffer, name);
    assert.deepEqual(packed[name], table[name], name);
  }
});

test('packHistograms copies bounds that are a part of a larger buffer, once for each layout', () => {
  const bounds = new Float64Array(1_000).subarray(5, 7);
  bounds.set([0.1, 1]);
  const layout = { kind: 'histogram', bounds } as const;
  const row = rowOf([1, 2, 3], { layout });
  const wide = histogramTable([
    [histogramOf(), 1, row],
    [histogramOf({ name: 'other' }), 1, row],
  ]);
  const [one, other] = packHistograms(wide, () => 0).layouts;
  assert.equal(one, other);
  assert.ok(one?.kind === 'histogram');
  assert.deepEqual([one.bounds.buffer.byteLength, [...one.bounds]], [16, [0.1, 1]]);
  assert.equal(packHistograms(table, () => 0).layouts[1], powersOfTwo);
});

test('buffersOfHistograms lists every buffer that can be transferred, once', () => {
  const packed = pack();
  const buffers = buffersOfHistograms(packed);
  assert.equal(new Set(buffers).size, 8);
  const moved = structuredClone(packed, { transfer: buffers });
  assert.deepEqual(
    buffers.map(({ byteLength }) => byteLength),
    buffers.map(() => 0),
  );
  assert.deepEqual([...moved.buckets], [...table.buckets]);
});
