import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../testing/fixed-seed.fixture.js';
import { findModulusNj, WrappingCounter } from './wrapping-counter.js';

const limits = { maxMicrojoules: 262_143_328_850, maxWatts: 2_000 };

function toNanojoule(joules: number): number {
  return Math.round(joules * 1e9) / 1e9;
}

/**
 * Feeds readings that are a second apart and returns the joules after each, to the nanojoule; for a reset, the
 * time since the counter's restart and the joules since then: "reset 1 s ago, 50 J".
 */
function follow(readings: readonly number[], counter = new WrappingCounter(limits)): (number | string)[] {
  return readings.map((microjoules, i) => {
    if (counter.update(microjoules, i * 1_000)) return toNanojoule(counter.joules);
    return `reset ${i - counter.startedMs / 1_000} s ago, ${toNanojoule(counter.joules)} J`;
  });
}

test('WrappingCounter counts from 0 at the first reading', () => {
  assert.deepEqual(follow([5_000_000, 5_000_001, 7_500_000]), [0, 0.000001, 2.5]);
});

test('WrappingCounter continues at a wrap, which is one unit beyond the range', () => {
  assert.deepEqual(follow([262_143_328_850, 0]), [0, 0.000_061_36]);
  assert.deepEqual(follow([262_143_000_000, 1_000_000]), [0, 1.328_911_36]);
});

test('WrappingCounter uses a unit of 1 uJ if the range is small', () => {
  assert.deepEqual(
    follow([999_999, 0], new WrappingCounter({ maxMicrojoules: 999_999, maxWatts: 2_000 })),
    [0, 0.000001],
  );
});

test('WrappingCounter continues if the range is beyond 2^53, and treats a fall as a reset', () => {
  const counter = new WrappingCounter({ maxMicrojoules: 2 ** 64, maxWatts: 2_000, outageMs: 0 });
  assert.deepEqual(follow([1_000_000, 3_000_000, 500_000, 900_000], counter), [
    0,
    2,
    NaN,
    'reset 1 s ago, 0.4 J',
  ]);
});

/** Units of counters in nanojoules: as the kernel rounds 2^-14 J and 2^-16 J, of Intel's DRAM, of Atom, of psys. */
const unitsNj = [61_035n, 15_258n, 15_300n, 32_000n, 1_000_000_000n];

/** The kernel's value for a number of units, of which the hardware keeps 32 bits. */
function show(units: bigint, unitNj: bigint): number {
  return Number(((units % 2n ** 32n) * unitNj) / 1_000n);
}

test('WrappingCounter has an error of less than 1 uJ after any number of wraps', () => {
  const step = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
  const steps = fc.array(step, { minLength: 1_500, maxLength: 3_000 });
  fc.assert(
    fc.property(fc.constantFrom(...unitsNj), step, steps, (unitNj, first, growths) => {
      const maxMicrojoules = show(2n ** 32n - 1n, unitNj);
      const counter = new WrappingCounter({ maxMicrojoules, maxWatts: 1e16 });
      let units = first;
      counter.update(show(units, unitNj), 0);
      for (const [i, growth] of growths.entries()) {
        units += growth;
        assert.equal(counter.update(show(units, unitNj), 1_000 * i), true);
        const joules = Number((units - first) * unitNj) / 1e9;
        assert.ok(
          Math.abs(counter.joules - joules) <= 1e-6 + joules * 2 ** -51,
          `${counter.joules} J, not ${joules}`,
        );
      }
    }),
    { numRuns: 20 },
  );
});

test('WrappingCounter does not drift in 1,000 wraps of a unit that is a power of two of a joule', () => {
  for (const shift of [14n, 16n]) {
    const showPower = (units: bigint) => Number(((units % 2n ** 32n) * 1_000_000n) >> shift);
    const counter = new WrappingCounter({ maxMicrojoules: showPower(2n ** 32n - 1n), maxWatts: 1e9 });
    const step = 2n ** 32n - 7n;
    for (let i = 0n; i <= 1_001n; i++)
      assert.equal(counter.update(showPower(i * step), Number(i) * 1_000), true);
    const joules = Number((1_001n * step * 1_000_000n) >> shift) / 1e6;
    assert.ok(Math.abs(counter.joules - joules) <= 1.01e-6, `${counter.joules} J, not ${joules}`);
  }
});

test('WrappingCounter never shows more than was used, whatever readings fail or are torn', () => {
  const fault = fc.constantFrom<'good' | 'failed' | 'torn'>('good', 'good', 'failed', 'torn');
  const tick = fc.record({
    units: fc.bigInt({ min: 0n, max: 1_600_000n }),
    ms: fc.integer({ min: 900, max: 1_100 }),
    fault,
  });
  const start = fc.bigInt({ min: 2n ** 32n - 40_000_000n, max: 2n ** 32n - 1n });
  fc.assert(
    fc.property(start, fc.array(tick, { maxLength: 100 }), (first, ticks) => {
      const counter = new WrappingCounter(limits);
      let [units, ms] = [first, 0];
      counter.update(show(units, 61_035n), 0);
      for (const { units: growth, ms: later, fault: kind } of ticks) {
        units += growth;
        ms += later;
        const text = String(show(units, 61_035n));
        const seen = { good: text, failed: 'NaN', torn: text.slice(0, -1) || 'NaN' }[kind];
        // If torn in the same way twice, the second may look as if the counter had been reset.
        if (!counter.update(Number(seen), ms)) return;
        if (Number.isNaN(counter.joules)) continue;
        // If torn just after a wrap, it is too small and is accepted: the next good one corrects it.
        const missing = Number((units - first) * 61_035n) / 1e9 - counter.joules;
        assert.ok(missing >= -1.01e-6 && (kind === 'torn' || missing <= 1.01e-6), `${missing} J are missing`);
      }
    }),
  );
});

test('WrappingCounter treats a fall as a reset if a wrap would be a sudden burst', () => {
  // At 100 W, a counter that is 1 kJ below its range is reset: as a wrap that would be 1.05 kW.
  assert.deepEqual(follow([261_043_328_850, 261_143_328_850, 50_000_000, 150_000_000]), [
    0,
    100,
    NaN,
    'reset 1 s ago, 100 J',
  ]);
});

test('WrappingCounter treats a fall as a wrap if the load has risen in the meantime', () => {
  assert.deepEqual(follow([262_043_328_850, 262_083_328_850, 110_000_000]), [0, 40, 210.000_061_36]);
});

test('WrappingCounter treats a fall as a reset if the range of the counter is unknown', () => {
  const counter = new WrappingCounter({ maxMicrojoules: Infinity, maxWatts: 2_000 });
  assert.deepEqual(follow([7_000_000, 107_000_000, 5_000_000, 105_000_000], counter), [
    0,
    100,
    NaN,
    'reset 1 s ago, 100 J',
  ]);
});

test('WrappingCounter trusts no reading after a time in which it could have wrapped, if configured', () => {
  const counter = new WrappingCounter({ maxMicrojoules: 65_532_610_987, maxWatts: 2_000, outageMs: 0 });
  counter.update(0, 0);
  assert.equal(counter.update(1_000_000, 32_000), true);
  assert.equal(counter.update(2_000_000, 65_000), false);
});

test('WrappingCounter is exact beyond 2^53 uJ', () => {
  const counter = new WrappingCounter({ maxMicrojoules: 4_294_967_295_000_000, maxWatts: 1e12 });
  // A unit of 1 J: the counter wraps at 2^32 J. It repeatedly grows by three quarters of that.
  const step = 3_221_225_472_000_001;
  let raw = 0;
  for (let i = 0; i <= 1_000; i++) {
    counter.update(raw, i * 1_000);
    raw = (raw + step) % 4_294_967_296_000_000;
  }
  assert.equal(counter.joules, 3_221_225_472_000.001);
});

test('WrappingCounter returns NaN for a failed reading and continues from the last good one', () => {
  assert.deepEqual(follow([1_000_000, NaN, NaN, 4_000_000]), [0, NaN, NaN, 3]);
});

test('WrappingCounter returns NaN until its first reading', () => {
  assert.deepEqual(follow([NaN, 9_000_000, 9_500_000]), [NaN, 0, 0.5]);
});

test('WrappingCounter discards an implausibly large increase when the next reading is good', () => {
  const torn = 12_345;
  const garbage = 200_000_000_000;
  const readings = [100_000_000_000, torn, 100_050_000_000, garbage, 100_100_000_000];
  assert.deepEqual(follow(readings), [0, NaN, 50, NaN, 100]);
});

test('WrappingCounter counts from the first reading after a reset when the next one confirms it', () => {
  const counter = new WrappingCounter(limits);
  const readings = [100_000_000_000, 100_030_000_000, 5_000_000, 35_000_000, 65_000_000];
  assert.deepEqual(follow(readings, counter), [0, 30, NaN, 'reset 1 s ago, 30 J', 60]);
  assert.deepEqual(follow([100_000_000_000, 0, 0, 1]), [0, NaN, NaN, 'reset 2 s ago, 0.000001 J']);
});

test('WrappingCounter ignores a range that the counter exceeds, and treats a fall as a reset', () => {
  const counter = new WrappingCounter({ maxMicrojoules: 900_000_000, maxWatts: 2_000 });
  const readings = [800_000_000, 850_000_000, 950_000_000, 1_900_000_000, 50_000_000, 150_000_000];
  assert.deepEqual(follow(readings, counter), [0, 50, 150, 1_100, NaN, 'reset 1 s ago, 100 J']);
  assert.equal(counter.isRangeWrong, true);
});

test('WrappingCounter keeps its range when a reading beyond it is garbage', () => {
  const counter = new WrappingCounter(limits);
  const readings = [262_143_000_000, 990_000_000_000, 1_000_000];
  assert.deepEqual(follow(readings, counter), [0, NaN, 1.328_911_36]);
  assert.equal(counter.isRangeWrong, false);
});

test('WrappingCounter counts from 0 again after a restart', () => {
  const counter = new WrappingCounter(limits);
  follow([100_000_000_000, 100_000_500_000], counter);
  counter.restart();
  assert.deepEqual(follow([55_000_000, 56_000_000], counter), [0, 1]);
});

test('WrappingCounter counts from 0 again when it was unread for so long that it may have wrapped', () => {
  const counter = new WrappingCounter(limits);
  counter.update(1_000_000, 0);
  assert.equal(counter.update(2_000_000, 30_000), true);
  assert.equal(counter.update(3_000_000, 30_000 + 132_000), false);
  assert.deepEqual([counter.joules, counter.startedMs], [0, 162_000]);
});

test('WrappingCounter accepts a counter that does not change for an hour', () => {
  const counter = new WrappingCounter(limits);
  for (let ms = 0; ms < 3_600_000; ms += 1_000) assert.equal(counter.update(1_000_000, ms), true);
  assert.equal(counter.update(1_500_000, 3_600_000), true);
  assert.equal(counter.joules, 0.5);
});

test("WrappingCounter accepts a second's energy at once from a counter that is refreshed once per second", () => {
  const counter = new WrappingCounter(limits);
  counter.update(1_000_000, 0);
  assert.equal(counter.update(501_000_000, 1), true);
  assert.equal(counter.update(501_000_000, 999), true);
  assert.equal(counter.update(1_001_000_000, 1_001), true);
  assert.equal(counter.joules, 1_000);
});

test('WrappingCounter takes a repeated reading like any other, and only one that it took before', () => {
  const [repeated, updated] = [new WrappingCounter(limits), new WrappingCounter(limits)];
  assert.equal(repeated.repeat(0), false);
  // A garbled reading among them, a wrap and a reset.
  const readings = [262_100_000_000, 262_100_500_000, 990_000_000_000, 262_101_000_000, 1_000_000, 5_000];
  readings.forEach((microjoules, second) => {
    for (const ms of [0, 1, 200]) {
      const nowMs = second * 1_000 + ms;
      const isSame = updated.update(microjoules, nowMs);
      const wasTaken = !Number.isNaN(repeated.joules);
      const isTaken = ms > 0 && repeated.repeat(nowMs);
      assert.equal(isTaken, ms > 0 && wasTaken);
      assert.equal(isTaken || repeated.update(microjoules, nowMs), isSame);
      assert.deepEqual([repeated.joules, repeated.startedMs], [updated.joules, updated.startedMs]);
    }
  });
});

test('WrappingCounter does not treat a reading as repeated when it was unread for so long that it may have wrapped', () => {
  const counter = new WrappingCounter(limits);
  counter.update(1_000_000, 0);
  assert.equal(counter.repeat(30_000), true);
  assert.equal(counter.repeat(30_000 + 59_000), true);
  assert.equal(counter.repeat(89_000 + 132_000), false);
});

test("findModulusNj finds the unit from the kernel's rounded range", () => {
  // 2^-14 J, 2^-16 J, the DRAM of Intel servers, psys of 1 J.
  assert.equal(findModulusNj(262_143_328_850), 2n ** 32n * 61_035n);
  assert.equal(findModulusNj(65_532_610_987), 2n ** 32n * 15_258n);
  assert.equal(findModulusNj(65_712_999_613), 2n ** 32n * 15_300n);
  assert.equal(findModulusNj(4_294_967_295_000_000), 2n ** 32n * 1_000_000_000n);
});

test('findModulusNj finds a unit that is a power of two of a joule', () => {
  assert.equal(findModulusNj(262_143_999_938), 2n ** 18n * 1_000_000_000n);
  assert.equal(findModulusNj(65_535_999_984), 2n ** 16n * 1_000_000_000n);
});

test('findModulusNj uses one unit of about the right size for a range that it cannot explain', () => {
  assert.equal(findModulusNj(999_999), 1_000_000_000n);
  assert.equal(findModulusNj(262_143_328_123), 262_143_328_184_000n);
});
