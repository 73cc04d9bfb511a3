import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Rig, RigProcess } from './rig.fixture.js';

/** The error of a domain of 10 W with a floor, read once per second, while one process is busy. */
function errorOf(attributes: Record<string, string>, floorWatts: number, stepS = 1): number {
  const rig = new Rig({ cpu_count: 1, floor: [{ power: floorWatts }], cpu_time_excludes: [] });
  const meter = rig.createMeter({ 'energy.method': 'measured', ...attributes });
  const process = new RigProcess({ 'process.pid': 1 }, 0);
  for (let atS = 0; atS <= 20; atS += stepS) {
    rig.energy(meter, atS, 10 * atS);
    rig.usage(atS, [[process, atS]]);
    rig.boundary(atS, atS);
  }
  return rig.out.last('attribution.error')[0]?.value ?? NaN;
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
  // The mean of the previous second: its end may be anywhere within it.
  assert.equal(errorOf({ ...instant, 'hw.gpu.power.window': '1s' }, 10), 1);
});
