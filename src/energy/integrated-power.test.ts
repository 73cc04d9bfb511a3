import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../testing/random.fixture.js';
import { IntegratedPower } from './integrated-power.js';

test('IntegratedPower interpolates the power between two readings linearly', () => {
  const power = new IntegratedPower({ maxGapMs: 10_000 });
  assert.equal(power.take(100e6, 5e9), 0);
  assert.equal(power.startedNs, 5e9);
  assert.equal(power.take(200e6, 6e9), 150);
  assert.equal(power.take(0, 8e9), 350);
});

test('IntegratedPower applies a mean to the time since the previous reading if its averaging time covers it', () => {
  const power = new IntegratedPower({ maxGapMs: 10_000, windowMs: 1000 });
  power.take(100e6, 0);
  assert.equal(power.take(200e6, 1e9), 200);
  assert.equal(power.take(100e6, 3e9), 500, 'linear, where the window is shorter than the interval');
});

test('IntegratedPower continues after a failed reading, and restarts after a gap', () => {
  const power = new IntegratedPower({ maxGapMs: 3000 });
  power.take(1e6, 0);
  assert.equal(power.take(NaN, 1e9), NaN);
  assert.equal(power.take(1e6, 3e9), 3);
  assert.equal(power.startedNs, 0);
  assert.equal(power.take(1e6, 6e9 + 1), 0, 'what was used in a longer time is not known');
  assert.equal(power.startedNs, 6e9 + 1);
  assert.equal(power.take(1e6, 7e9 + 1), 1);
});

test('IntegratedPower adds up exactly for any power and times', () => {
  const { whole } = createRandom(7);
  for (const scaleMicrowatts of [1e3, 1e9, 4e11]) {
    for (const scaleNs of [1e3, 1e7, 1e9, 6e10]) {
      const power = new IntegratedPower({ maxGapMs: 1e6 });
      let [last, lastNs, units] = [0, 0, 0n];
      power.take(0, 0);
      for (let i = 0; i < 200; i++) {
        const now = whole(scaleMicrowatts);
        const atNs = lastNs + whole(scaleNs);
        units += BigInt(last + now) * BigInt(atNs - lastNs);
        [last, lastNs] = [now, atNs];
        // Twice microwatts times nanoseconds: 2e6 are a nanojoule.
        const nanojoules = units / 2_000_000n;
        const expected = Number(nanojoules / 1_000_000_000n) + Number(nanojoules % 1_000_000_000n) / 1e9;
        assert.equal(power.take(now, atNs), expected);
      }
    }
  }
});
