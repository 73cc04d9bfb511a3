import assert from 'node:assert/strict';
import { test } from 'node:test';
import { monotonicSinceOriginNs, originSecond, readClocks } from '../linux/clocks.js';
import { WallAnchor } from '../linux/wall-clock.js';
import { RowBuffer, type Rows } from './row-buffer.js';

/** Wall time an hour ahead of CLOCK_MONOTONIC, and ahead by this much more when the clocks are read again. */
function createAnchor(correctionNs = 0n): WallAnchor {
  const { beforeNs: at } = readClocks();
  const hourAhead = at + 3_600_000_000_000n;
  const anchor = new WallAnchor({ beforeNs: at, afterNs: at, boottimeNs: at, realtimeNs: hourAhead });
  anchor.update({ beforeNs: at, afterNs: at, boottimeNs: at, realtimeNs: hourAhead + correctionNs });
  return anchor;
}

function fill(width: number, ...values: readonly number[]): RowBuffer {
  const buffer = new RowBuffer(width, values.length / width);
  for (let at = 0; at < values.length; at += width) {
    buffer.values.set(values.slice(at, at + width), buffer.valuesAt);
    buffer.add();
  }
  return buffer;
}

function instantsOf({ epoch, offsets }: Rows): bigint[] {
  return Array.from(offsets, (offset) => epoch + BigInt(offset));
}

test('take gives rows in the layout of a table, in wall time, and leaves none', () => {
  const anchor = createAnchor();
  const buffer = fill(2, 1, 2, 3, 4);
  assert.equal(buffer.isFull, true);
  const last = BigInt(originSecond) * 1_000_000_000n + BigInt(buffer.lastNs());
  const rows = buffer.take(anchor);
  assert.deepEqual([...rows.values], [1, 2, 3, 4]);
  const [first, second] = instantsOf(rows);
  assert.ok(first < second);
  assert.equal(rows.offsets[0], 0);
  assert.equal(second, last + 3_600_000_000_000n);
  assert.equal(buffer.length, 0);
  assert.equal(buffer.valuesAt, 0);
});

test('takeBeforeLast leaves the last row', () => {
  const anchor = createAnchor();
  const buffer = fill(2, 1, 2, 3, 4, 5, 6);
  const lastNs = buffer.lastNs();
  const rows = buffer.takeBeforeLast(anchor);
  assert.deepEqual([...rows.values], [1, 2, 3, 4]);
  assert.equal(rows.offsets.length, 2);
  assert.equal(buffer.lastNs(), lastNs);
  const rest = buffer.take(anchor);
  assert.deepEqual([...rest.values], [5, 6]);
  assert.deepEqual([...rest.offsets], [0]);
  assert.ok(rest.epoch > instantsOf(rows)[1]);
});

test('take keeps offsets ascending whole numbers, when the clock was set back a little', () => {
  const anchor = createAnchor(-40_000_000n);
  const buffer = fill(1, 1, 2, 3);
  const lastNs = BigInt(originSecond) * 1_000_000_000n + BigInt(buffer.lastNs());
  const rows = buffer.take(anchor);
  assert.equal(anchor.isConstant, false);
  assert.equal(instantsOf(rows)[2], anchor.wallNs(lastNs));
  assert.ok(
    rows.offsets.every((offset, row) => offset % 1 === 0 && (row === 0 || offset > rows.offsets[row - 1])),
  );
});

test('lastNs is the time of the last row', () => {
  const beforeNs = monotonicSinceOriginNs();
  const lastNs = fill(1, 1).lastNs();
  assert.ok(beforeNs <= lastNs && lastNs <= monotonicSinceOriginNs());
});

test('RowBuffer has room for two rows at least and for one MiB at most', () => {
  assert.equal(new RowBuffer(4, 1).values.length, 2 * 4);
  assert.equal(new RowBuffer(3, 1e9).values.length, 32_768 * 3);
});
