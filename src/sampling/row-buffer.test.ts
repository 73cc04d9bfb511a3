import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicOriginNs } from '../linux/clocks.js';
import { WallAnchor } from '../linux/wall-anchor.js';
import { RowBuffer } from './row-buffer.js';

const second = 1_000_000_000n;
const clocks = { beforeNs: monotonicOriginNs, afterNs: monotonicOriginNs, boottimeNs: monotonicOriginNs };

function fill(rows: readonly (readonly [instantNs: number, ...values: number[]])[]): RowBuffer {
  const buffer = new RowBuffer(rows[0].length - 1, rows.length);
  for (const [instantNs, ...values] of rows) {
    buffer.values.set(values, buffer.valuesAt);
    buffer.instantsNs[buffer.add()] = instantNs;
  }
  return buffer;
}

test('take gives rows in the layout of a table and leaves none', () => {
  const anchor = new WallAnchor({ ...clocks, realtimeNs: 1000n * second });
  const buffer = fill([
    [500, 1, 2],
    [700, 3, 4],
  ]);
  assert.equal(buffer.isFull, true);
  const { epoch, offsets, values } = buffer.take(anchor);
  assert.equal(epoch, 1000n * second + 500n);
  assert.deepEqual([...offsets], [0, 200]);
  assert.deepEqual([...values], [1, 2, 3, 4]);
  assert.equal(buffer.length, 0);
  assert.equal(buffer.valuesAt, 0);
});

test('take leaves the rows that it was not asked for', () => {
  const anchor = new WallAnchor({ ...clocks, realtimeNs: 0n });
  const buffer = fill([
    [500, 1, 2],
    [700, 3, 4],
    [900, 5, 6],
  ]);
  assert.deepEqual([...buffer.take(anchor, 2).values], [1, 2, 3, 4]);
  const { epoch, values } = buffer.take(anchor);
  assert.equal(epoch, 900n);
  assert.deepEqual([...values], [5, 6]);
});

test('take keeps offsets ascending whole numbers, when the clock was set back a little', () => {
  const anchor = new WallAnchor({ ...clocks, realtimeNs: 1000n * second });
  anchor.update({ ...clocks, realtimeNs: 1000n * second - 40_000_000n });
  const { offsets } = fill([
    [0, 1],
    [20_000, 1],
    [40_000, 1],
  ]).take(anchor);
  assert.deepEqual([...offsets], [0, 19_900, 39_800]);
});

test('RowBuffer has room for two rows at least and for one MiB at most', () => {
  assert.equal(new RowBuffer(4, 1).instantsNs.length, 2);
  assert.equal(new RowBuffer(3, 1e9).instantsNs.length, 32_768);
});
