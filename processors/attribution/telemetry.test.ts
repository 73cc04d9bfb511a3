import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeContext, createMeterReader } from '../../src/component/fakes.js';
import { playBusy, playSecond, RigProcess } from './rig.fixture.js';

test('attribution reports the quality of its ledger as own telemetry', async () => {
  const { meter, read } = createMeterReader();
  const { rig, meter: energy, process } = playBusy({ floor: [{ power: 4 }] }, createFakeContext({ meter }));
  rig.tick(1, 0.004);
  playSecond({ rig, meter: energy, used: [[process, 2]] }, 2, 1.75);
  assert.deepEqual(await read(), {
    'joulemetry.attribution.residual{cpu,estimated,cpu_time}': 0,
    'joulemetry.attribution.unattributed{cpu,package-0}': 0,
    'joulemetry.attribution.error{cpu,package-0}': 1,
    'joulemetry.attribution.refresh.ratio{cpu,package-0}': 0,
    'joulemetry.attribution.tick.ratio{cpu,package-0}': 0.004,
    'joulemetry.attribution.floor.power{cpu,package-0,set}': 4,
    'joulemetry.attribution.weight{cpu,package-0,cpu_time}': 1,
    'joulemetry.attribution.fallback{cpu,package-0}': 0,
    'joulemetry.attribution.overlap{}': 0.15,
    'joulemetry.attribution.skew{}': 0,
    'joulemetry.attribution.unmeasured{cpu,package-0}': 0,
  });
});

test('attribution publishes the quality of its ledger with the energy', () => {
  const { rig, meter, process } = playBusy();
  rig.tick(1, 0.004);
  // 0.15 s were used by no process.
  playSecond({ rig, meter, used: [[process, 1.85]] }, 2, 2);
  const names = ['unattributed', 'refresh.ratio', 'tick.ratio', 'residual'];
  const values = names.map((name) => rig.out.last(`attribution.${name}`).map(({ value }) => value));
  assert.deepEqual(values, [[0.15], [0], [0.004], [0]]);
  const [{ series }] = rig.out.last('attribution.refresh.ratio');
  assert.deepEqual(series.attributes, {
    'hw.type': 'cpu',
    'hw.id': 'package-0',
    'energy.method': 'estimated',
  });
});

test('attribution reports how long after its boundary the last process of a scan was read', async () => {
  const { meter, read } = createMeterReader();
  const { rig, process } = playBusy({}, createFakeContext({ meter }));
  const skewOf = async () => (await read())['joulemetry.attribution.skew{}'];
  const other = new RigProcess({ 'process.pid': 2 }, 1);
  rig.usage(2.125, [[process, 2]]);
  rig.usage(2.25, [[other, 0]]);
  rig.boundary(2, 2);
  assert.equal(await skewOf(), 0.25);
  rig.boundary(3, 3);
  assert.equal(await skewOf(), 0);
});

test('attribution reports for how long the energy was not known', async () => {
  const { meter, read } = createMeterReader();
  const { rig } = playBusy({}, createFakeContext({ meter }));
  const next = rig.createMeter({}, 1.5);
  rig.energy(next, 1.5, 0);
  for (const atS of [2, 3]) {
    rig.energy(next, atS, 10 * (atS - 1.5));
    rig.boundary(atS, atS);
  }
  assert.equal((await read())['joulemetry.attribution.unmeasured{cpu,package-0}'], 0.5);
});
