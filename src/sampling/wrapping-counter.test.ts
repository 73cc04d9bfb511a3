import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WrappingCounter } from './wrapping-counter.js';

const limits = { maxMicrojoules: 262_143_328_850, mostWatts: 2_000 };
/** 2^32 units of 61 uJ, of which the kernel's range is the last. */
const modulus = 262_143_328_911;

/** Feeds readings that are a second apart and gives joules after each; "anew" where the counter began anew. */
function follow(readings: readonly number[], counter = new WrappingCounter(limits)): (number | 'anew')[] {
  return readings.map((microjoules, i) => (counter.update(microjoules, i * 1_000) ? counter.joules : 'anew'));
}

test('WrappingCounter counts from 0 at the first reading', () => {
  assert.deepEqual(follow([5_000_000, 5_000_001, 7_500_000]), [0, 0.000001, 2.5]);
});

test('WrappingCounter goes on at a wrap, which is one unit beyond the range', () => {
  assert.deepEqual(follow([262_143_328_850, 0]), [0, 0.000061]);
  assert.deepEqual(follow([262_143_000_000, 1_000_000]), [0, 1.328911]);
});

test('WrappingCounter takes 1 uJ for the unit, when the range is small', () => {
  assert.deepEqual(
    follow([999_999, 0], new WrappingCounter({ maxMicrojoules: 999_999, mostWatts: 2_000 })),
    [0, 0.000001],
  );
});

test('WrappingCounter is exact to the microjoule over thousands of wraps', () => {
  const counter = new WrappingCounter({ ...limits, mostWatts: 1e9 });
  let raw = 123_456_789n;
  let truth = 0n;
  let seed = 42n;
  for (let i = 0; i < 20_000; i++) {
    assert.equal(counter.update(Number(raw), i * 1_000), true);
    assert.ok(
      Math.abs(counter.joules - Number(truth) / 1e6) <= (Number(truth) * 2 ** -52) / 1e6,
      `${i}: ${truth}`,
    );
    seed = (seed * 6_364_136_223_846_793_005n + 1n) % 2n ** 64n;
    const growth = seed % BigInt(modulus);
    truth += growth;
    raw = (raw + growth) % BigInt(modulus);
  }
  assert.ok(truth > 1_000n * BigInt(modulus));
});

test('WrappingCounter is exact beyond 2^53 uJ', () => {
  const counter = new WrappingCounter({ maxMicrojoules: 4_294_967_295_000_000, mostWatts: 1e12 });
  // A unit of 1 J: the counter wraps at 2^32 J. Three quarters of it, again and again.
  const step = 3_221_225_472_000_001;
  let raw = 0;
  for (let i = 0; i <= 1_000; i++) {
    counter.update(raw, i * 1_000);
    raw = (raw + step) % 4_294_967_296_000_000;
  }
  assert.equal(counter.joules, 3_221_225_472_000.001);
});

test('WrappingCounter gives NaN for a failed reading and goes on from the last good one', () => {
  assert.deepEqual(follow([1_000_000, Number.NaN, Number.NaN, 4_000_000]), [0, Number.NaN, Number.NaN, 3]);
});

test('WrappingCounter gives NaN until its first reading', () => {
  assert.deepEqual(follow([Number.NaN, 9_000_000, 9_500_000]), [Number.NaN, 0, 0.5]);
});

test('WrappingCounter forgets a reading that nobody could have drawn, when the next one is good', () => {
  const torn = 12_345;
  const garbage = 200_000_000_000;
  const readings = [100_000_000_000, torn, 100_050_000_000, garbage, 100_100_000_000];
  assert.deepEqual(follow(readings), [0, Number.NaN, 50, Number.NaN, 100]);
});

test('WrappingCounter says that it began anew, when the reading after a reset agrees with the reset', () => {
  assert.deepEqual(follow([100_000_000_000, 5_000_000, 55_000_000]), [0, Number.NaN, 'anew']);
  assert.deepEqual(follow([100_000_000_000, 0, 0]), [0, Number.NaN, 'anew']);
});

test('WrappingCounter counts from 0 again, when it was restarted', () => {
  const counter = new WrappingCounter(limits);
  follow([100_000_000_000, 100_000_500_000], counter);
  counter.restart();
  assert.deepEqual(follow([55_000_000, 56_000_000], counter), [0, 1]);
});

test('WrappingCounter says that it began anew, when it was unread for so long that it may have wrapped', () => {
  const counter = new WrappingCounter(limits);
  counter.update(1_000_000, 0);
  assert.equal(counter.update(2_000_000, 30_000), true);
  assert.equal(counter.update(3_000_000, 30_000 + 132_000), false);
});

test('WrappingCounter takes a counter that stands still for an hour and then moves', () => {
  const counter = new WrappingCounter(limits);
  for (let ms = 0; ms < 3_600_000; ms += 1_000) assert.equal(counter.update(1_000_000, ms), true);
  assert.equal(counter.update(1_500_000, 3_600_000), true);
  assert.equal(counter.joules, 0.5);
});

test('WrappingCounter takes a second of energy at once from a counter that refreshes once a second', () => {
  const counter = new WrappingCounter(limits);
  counter.update(1_000_000, 0);
  assert.equal(counter.update(501_000_000, 1), true);
  assert.equal(counter.update(501_000_000, 999), true);
  assert.equal(counter.update(1_001_000_000, 1_001), true);
  assert.equal(counter.joules, 1_000);
});
