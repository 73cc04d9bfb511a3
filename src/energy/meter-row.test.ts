import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Series } from '../model/series.js';
import { hwEnergy, hwPower } from '../model/shared-metrics.js';
import { IntegratedPower } from './integrated-power.js';
import { CounterMeter, IntegratedMeter, MeterRow } from './meter-row.js';
import { WrappingCounter } from './wrapping-counter.js';

const resource = { attributes: {} };

function createSeries(id: string, metric = hwEnergy): Series {
  return { metric, resource, attributes: { 'hw.id': id }, start: 0n };
}

/** A row of a counter of microjoules and of the integral of microwatts, read once a second. */
function createMeters() {
  const counter = new WrappingCounter({ maxMicrojoules: Infinity, maxWatts: 1000 });
  const power = new IntegratedPower({ maxGapMs: 2000 });
  const gauge = createSeries('b', hwPower);
  const row = new MeterRow([
    { source: 0, meter: new CounterMeter(createSeries('a'), counter) },
    { source: 1, meter: new IntegratedMeter(createSeries('b'), power) },
    { source: 1, meter: { series: gauge, take: (microwatts) => microwatts / 1e6 } },
  ]);
  return (second: number, microjoules: number, microwatts: number) =>
    row.take(Float64Array.of(microjoules, microwatts), BigInt(second) * 1_000_000_000n, second * 1e9);
}

test('MeterRow converts the values of one instant to a row, with the same series while no counter is reset', () => {
  const read = createMeters();
  const rows = [read(1, 5e6, 100e6), read(2, 25e6, 100e6), read(3, NaN, NaN), read(4, 65e6, 100e6)];
  assert.deepEqual(
    rows.map(({ values }) => [...values]),
    [
      [0, 0, 100],
      [20, 100, 100],
      [NaN, NaN, NaN],
      [60, 300, 100],
    ],
  );
  assert.equal(new Set(rows.map(({ series }) => series)).size, 1);
});

test('MeterRow starts another series only for a counter that was reset and after a gap of power', () => {
  const read = createMeters();
  const before = read(1, 500e6, 100e6);
  read(2, 1e6, 100e6);
  const reset = read(3, 21e6, 100e6);
  assert.deepEqual([...reset.values], [20, 200, 100]);
  assert.deepEqual(reset.ended, [before.series[0]]);
  assert.equal(reset.series[0]?.start, 2_000_000_000n, 'the first reading that was lower');
  const gap = read(6, 81e6, 100e6);
  assert.deepEqual([...gap.values], [80, 0, 100]);
  assert.deepEqual(gap.ended, [before.series[1]]);
  assert.equal(gap.series[1]?.start, 6_000_000_000n);
});
