import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkTables } from '../../src/model/check-tables.js';
import { until } from '../../src/testing/until.js';
import { repeatGpu, withoutCompiler as skip } from './fake-nvml.fixture.js';
import { startRig } from './nvml.fixture.js';

test(
  'nvml continues with the other GPUs when one is lost, and reads it again after its reset',
  { skip },
  async (t) => {
    const rig = await startRig(t, { answers: repeatGpu(2) });
    await rig.readWith({ '0.lost': '0 15', '1.TotalEnergyConsumption': '0 2424875' });
    assert.equal(rig.last('hw.status', { 'hw.id': 'GPU-0', 'hw.state': 'failed' }), 1);
    assert.equal(rig.last('hw.status', { 'hw.id': 'GPU-1', 'hw.state': 'failed' }), 0);
    assert.equal(rig.last('hw.energy', { 'hw.id': 'GPU-1' }), 1);
    const ended = rig.next.tables.flatMap((table) => table.ended ?? []);
    assert.ok(
      ended.some(({ metric, attributes }) => metric.name === 'hw.energy' && attributes['hw.id'] === 'GPU-0'),
    );
    assert.ok(ended.every(({ attributes }) => attributes['hw.id'] !== 'GPU-1'));
    assert.equal(rig.log.lines.filter((line) => line.startsWith('warn: Lost')).length, 1);
    rig.nvml.remove('0.lost');
    rig.nvml.set({ '0.TotalEnergyConsumption': '0 100', '*.FanSpeed': '0 30' });
    await until(async () => {
      await rig.read();
      return rig.last('hw.status', { 'hw.id': 'GPU-0', 'hw.state': 'ok' }) === 1;
    });
    assert.equal(rig.last('hw.energy', { 'hw.id': 'GPU-0' }), 0);
    assert.equal(
      rig.last('hw.fan.speed_ratio', { 'hw.parent': 'GPU-0' }),
      0.3,
      'what it can do was asked again',
    );
    checkTables(rig.next.tables);
  },
);

test('nvml treats a GPU as lost with the first call that reports it', { skip }, async (t) => {
  const rig = await startRig(t);
  await rig.readWith({ '0.TotalEnergyConsumption': '15' });
  assert.equal(rig.last('hw.status', { 'hw.state': 'failed' }), 1);
});

test('nvml treats a GPU whose handle has become invalid as lost', { skip }, async (t) => {
  const rig = await startRig(t, { answers: repeatGpu(2) });
  await rig.readWith({ '1.lost': '0 2' });
  assert.equal(rig.last('hw.status', { 'hw.id': 'GPU-1', 'hw.state': 'failed' }), 1);
  assert.equal(rig.last('hw.status', { 'hw.id': 'GPU-0', 'hw.state': 'ok' }), 1);
});

test('nvml ends the series of a removed GPU', { skip }, async (t) => {
  const rig = await startRig(t, { answers: repeatGpu(2) });
  await rig.readWith({ '1.lost': '0 15' });
  rig.nvml.set({ Count: '0 1' });
  const statusEnded = () =>
    rig.next.tables
      .flatMap(({ ended = [] }) => ended)
      .some(({ metric, attributes }) => metric.name === 'hw.status' && attributes['hw.id'] === 'GPU-1');
  await until(async () => {
    await rig.read();
    return statusEnded();
  });
  assert.equal(rig.last('hw.status', { 'hw.id': 'GPU-0', 'hw.state': 'ok' }), 1);
});

test('nvml survives a reload of the driver', { skip }, async (t) => {
  const rig = await startRig(t);
  await rig.readWith({ '0.lost': '0 9', Init: '9' });
  assert.equal(rig.last('hw.status', { 'hw.state': 'failed' }), 1);
  const failed = rig.next.tables.length;
  rig.nvml.remove('0.lost');
  rig.nvml.set({ Init: '18', DriverVersion: '0 590.10' });
  await sleep(1100);
  await rig.read();
  assert.ok(rig.next.tables.length > failed, 'it still says that the GPU failed');
  assert.equal(rig.last('hw.status', { 'hw.state': 'ok' }), 0);
  assert.equal(
    rig.log.lines.filter((line) => /^warn: Continuing without GPUs: .*different versions/.test(line)).length,
    1,
  );
  rig.nvml.set({ Init: '0', '0.TotalEnergyConsumption': '0 100' });
  await until(async () => {
    await rig.read();
    return rig.last('hw.status', { 'hw.state': 'ok', 'hw.driver_version': '590.10' }) === 1;
  });
  await rig.readWith({ '0.TotalEnergyConsumption': '0 1100' });
  assert.equal(rig.last('hw.energy'), 1);
  checkTables(rig.next.tables);
});
