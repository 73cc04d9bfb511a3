import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { DeviceSeries } from '../../src/gpu/device-series.js';
import { createDevice } from '../../src/gpu/device.fixture.js';
import { checkTables } from '../../src/model/check-tables.js';
import { hwEnergy } from '../../src/model/shared-metrics.js';
import type { Table } from '../../src/model/table.js';
import { h100, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { startRig } from './nvml.fixture.js';

test('nvml counts energy since its first reading', { skip }, async (t) => {
  const rig = await startRig(t);
  assert.equal(rig.last('hw.energy'), 0);
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2424975' });
  assert.equal(rig.last('hw.energy'), 1.1);
  await rig.readWith({ '0.TotalEnergyConsumption': '999' });
  assert.equal(rig.last('hw.energy'), NaN, 'a failed reading is a gap');
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2425975' });
  assert.equal(rig.last('hw.energy'), 2.1);
});

test('nvml does not add up the energy of a GPU that another receiver publishes', { skip }, async (t) => {
  const asked: string[] = [];
  const claims = {
    ...freeClaims,
    claim(key: string) {
      asked.push(key);
      return 'hwmon';
    },
  };
  const rig = await startRig(t, { claims });
  assert.match(asked[0] ?? '', /^energy\/gpu\/GPU-/);
  assert.equal(rig.last('hw.energy'), undefined);
  assert.equal(rig.last('hw.meter.energy'), 0);
});

test('nvml restarts counting after a reset when the energy counter decreases', { skip }, async (t) => {
  const rig = await startRig(t);
  await rig.readWith({ '0.TotalEnergyConsumption': '0 2424875' });
  await rig.readWith({ '0.TotalEnergyConsumption': '0 500' });
  await rig.readWith({ '0.TotalEnergyConsumption': '0 1500' });
  const energies = rig.next.last('hw.energy');
  assert.deepEqual(
    energies.map(({ value }) => value),
    // A decrease is accepted as a reset once the counter increases from there.
    [NaN, 1],
  );
  assert.ok(energies[1].series.start > energies[0].series.start);
  checkTables(rig.next.tables);
});

test('nvml integrates power if a GPU has no energy counter', { skip }, async (t) => {
  const { '*.TotalEnergyConsumption': _, '*.Field.185': __, '*.Field.186': ___, ...answers } = h100;
  const rig = await startRig(t, { answers: { ...answers, '*.PowerUsage': '0 100000' } });
  const [{ series }] = rig.next.last('hw.energy');
  assert.equal(series.attributes['energy.interface'], 'nvml_power');
  assert.equal(series.attributes['hw.gpu.power.window'], '1s', 'a Hopper averages over a second');
  await rig.readWith({ '0.PowerUsage': '0 200000' });
  assert.ok((rig.last('hw.energy') ?? NaN) > 0);
});

/** The integrated energy of a GPU without an energy counter, from powers in watts by time in seconds. */
function integrate(column: string): (watts: number, second: number) => Table | undefined {
  const device = createDevice({
    id: 'GPU-1',
    interfaces: { energy: 'nvml', power: 'nvml_power' },
    columns: [column],
  });
  const published = new DeviceSeries(
    device,
    { attributes: {} },
    { start: 0n, maxGapMs: 2000, energyMetric: hwEnergy },
  );
  return (watts, second) => {
    const row = { values: Float64Array.of(watts), profile: undefined };
    const ns = second * 1e9;
    return [...published.take(row, BigInt(ns), ns)][0];
  };
}

test('nvml extends a one-second mean of power back to the previous reading if that is within the second', () => {
  const read = integrate('power.average');
  const rows = [read(100, 0), read(200, 0.2), read(100, 2.2)];
  assert.deepEqual(
    rows.map((row) => row?.values[1]),
    [0, 200 * 0.2, 200 * 0.2 + 150 * 2],
  );
});

test('nvml restarts integrated power at 0 after a gap, in which power is unknown', () => {
  const read = integrate('power.instant');
  const rows = [0, 1, 4, 5].map((second) => read(100, second));
  assert.deepEqual(
    rows.map((row) => row?.values[1]),
    [0, 100, 0, 100],
  );
  assert.deepEqual(rows[2]?.ended, [rows[1]?.series[1]]);
  assert.equal(rows[3]?.series[1]?.start, 4_000_000_000n);
});

for (const [architecture, capability, window] of [
  [7, '8 0', 'instant'],
  [7, '8 6', '1s'],
  [6, '7 5', 'instant'],
] as const) {
  test(
    `nvml reports that the power of compute capability ${capability} is ${window}`,
    { skip },
    async (t) => {
      const { '*.Field.185': _, '*.Field.186': __, ...answers } = h100;
      const own = { '*.Architecture': `0 ${architecture}`, '*.CudaComputeCapability': `0 ${capability}` };
      const rig = await startRig(t, { answers: { ...answers, ...own } });
      assert.equal(rig.last('hw.gpu.power', { 'hw.gpu.power.window': window }), 73.187);
    },
  );
}
