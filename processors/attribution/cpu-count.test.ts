import assert from 'node:assert/strict';
import { cpus } from 'node:os';
import test from 'node:test';
import type { Metric } from '../../src/model/series.js';
import { createRow } from '../../src/model/table.js';
import { CpuCount } from './cpu-count.js';
import { Rig, unixNs } from './rig.fixture.js';

test('CpuCount is that of this machine until the measured one says its own', () => {
  const count = new CpuCount(null);
  assert.equal(count.value, cpus().length);
  count.read(4096);
  count.read(NaN);
  count.read(0);
  assert.equal(count.value, 4096);
});

test('CpuCount is what was set, whatever the machine says', () => {
  const count = new CpuCount(3);
  count.read(4096);
  assert.equal(count.value, 3);
});

const logicalCount: Metric = {
  name: 'system.cpu.logical.count',
  unit: '{cpu}',
  description: '',
  kind: 'updowncounter',
  valueType: 'int',
};

/** A machine that uses 10 W and a whole CPU for 62 s. */
function play(cpuCount: number, settings: object): Rig {
  const rig = new Rig({ cpu_count: null, ...settings });
  const meter = rig.createMeter({ 'energy.method': 'measured' });
  const series = { metric: logicalCount, resource: meter.resource, attributes: {}, start: unixNs(0) };
  rig.consume(createRow([series], unixNs(0), Float64Array.of(cpuCount)));
  for (let atS = 0; atS <= 62; atS++) {
    rig.energy(meter, atS, 10 * atS);
    rig.boundary(atS, atS);
  }
  return rig;
}

test('attribution judges quiet by the CPUs of the machine that was measured', () => {
  // One CPU of 4096 is quiet, of 8 it is not, however many the machine has that this runs on.
  assert.equal(play(4096, {}).out.last('attribution.floor.power').at(0)?.value, 10);
  assert.deepEqual(play(8, {}).out.last('attribution.floor.power'), []);
  assert.deepEqual(play(4096, { cpu_count: 8 }).out.last('attribution.floor.power'), []);
});
