import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from './buffer-pool.js';

test('BufferPool reuses returned memory that fits', () => {
  const pool = new BufferPool();
  const first = pool.take(100_000);
  pool.give(first);
  const [smaller, another] = [pool.take(90_000), pool.take(90_000)];
  assert.equal(smaller.length, 90_000);
  assert.equal(smaller.buffer, first.buffer);
  assert.notEqual(another.buffer, first.buffer);
});

test('BufferPool allocates when the returned memory is too small, or more than twice as large', () => {
  const pool = new BufferPool();
  const first = pool.take(300_000);
  pool.give(first);
  const [larger, small] = [pool.take(400_000), pool.take(100_000)];
  assert.equal(larger.length, 400_000);
  assert.ok([larger, small].every(({ buffer }) => buffer !== first.buffer));
});

test('BufferPool keeps no small memory, and only a few large blocks', () => {
  const pool = new BufferPool();
  pool.give(pool.take(1000));
  const buffers = Array.from({ length: 5 }, () => pool.take(100_000));
  for (const buffer of buffers) pool.give(buffer);
  const again = new Set(buffers.map(() => pool.take(100_000).buffer));
  assert.deepEqual(
    buffers.map(({ buffer }) => again.has(buffer)),
    [false, true, true, true, true],
  );
});
