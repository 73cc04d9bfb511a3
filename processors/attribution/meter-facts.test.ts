import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFolder } from '../../src/testing/temporary-folder.fixture.js';
import { confirm, linesOf } from './audit.fixture.js';
import { Rig, RigProcess } from './rig.fixture.js';

interface Reading {
  readonly stepS?: number;
  readonly steps?: number;
  readonly settings?: object;
}

/** A domain of 10 W with a floor, read once per second, while one process is busy. */
function play(attributes: Record<string, string>, floorWatts: number, reading: Reading = {}): Rig {
  const { stepS = 1, steps = 20 / stepS, settings } = reading;
  const rig = new Rig({ cpu_count: 1, floor: [{ power: floorWatts }], cpu_time_excludes: [], ...settings });
  const meter = rig.createMeter({ 'energy.method': 'measured', ...attributes });
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  for (let step = 0; step <= steps; step++) {
    const atS = step * stepS;
    rig.energy(meter, atS, 10 * atS);
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  return rig;
}

function errorOf(attributes: Record<string, string>, floorWatts: number, reading: Reading = {}): number {
  return play(attributes, floorWatts, reading).out.last('attribution.error')[0]?.value ?? NaN;
}

test('attribution publishes the error of a GPU at 1 Hz based on the refresh of its counter, which readings do not show', () => {
  const rapl = errorOf({ 'energy.interface': 'powercap' }, 4);
  const nvml = errorOf({ 'energy.interface': 'nvml', 'hw.type': 'gpu' }, 4);
  // 1 ms and 100 ms, of the rest of a second.
  assert.equal(rapl.toFixed(4), '0.0010');
  assert.equal(nvml.toFixed(4), '0.1111');
});

test('attribution publishes the error of energy integrated from power, for the time between two readings', () => {
  const instant = { 'energy.interface': 'nvml_power', 'hw.gpu.power.window': 'instant' };
  // 6 W of 10 W are dynamic, and one reading is all of a window.
  assert.equal(errorOf(instant, 4).toFixed(3), '0.600');
  const mean = { ...instant, 'hw.gpu.power.window': '1s' };
  // The mean of the previous second covers all the time, but it may be that of the previous window, with twice as much
  // dynamic power now.
  assert.equal(errorOf(mean, 9).toFixed(3), '0.200');
  // It is no more exact in windows of less than a second: 250 ms, of two readings.
  assert.equal(errorOf(mean, 9, { stepS: 0.125 }).toFixed(3), '0.200');
  assert.equal(errorOf(mean, 10), 0);
  // The mean of an unknown time.
  assert.equal(errorOf({ ...instant, 'hw.gpu.power.window': 'average' }, 9).toFixed(3), '0.200');
});

test('attribution publishes the error of a counter whose refresh interval is not stated, which may show dynamic power of earlier readings', () => {
  // Before 65 readings, even the length of the time that a window shows is not known.
  assert.equal(errorOf({}, 4), 1);
  // Then refreshes are known to be in step with readings, but not how long before: 2 x 0.1 x 0.999.
  assert.equal(errorOf({}, 9, { steps: 100 }).toFixed(4), '0.1998');
  assert.equal(errorOf({}, 10, { steps: 100 }).toFixed(3), '0.001');
});

test('An audit recomputes the error of a meter whose energy may be late', async () => {
  const path = join(createFolder(), 'audit.jsonl');
  const late = { 'energy.interface': 'nvml_power', 'hw.gpu.power.window': '0.25s' };
  await play(late, 9, { settings: { audit: { path } } }).processor.shutdown();
  const lines = linesOf(path);
  assert.ok(confirm(lines).windows > 10);
  const tampered = lines.map((line) => line.replace('"delay_ns":250000000', '"delay_ns":250001000'));
  assert.throws(() => confirm(tampered), { message: /^error in the window/u });
  const wrong = lines.map((line) => line.replace('"delay_ns":250000000', '"delay_ns":-1'));
  assert.throws(() => confirm(wrong), { message: /^expected numbers, found delay_ns: -1$/u });
});
