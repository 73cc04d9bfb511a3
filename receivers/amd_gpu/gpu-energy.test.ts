import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { freeClaims } from '../../src/component/claims.js';
import { startCardRig } from '../../src/gpu/fake-cards.fixture.js';
import { accelerator, address, createTable, desktop, plugIn } from './amd-cards.fixture.js';
import { factory } from './factory.js';

test('amd_gpu counts the energy of an accelerator by its accumulator, exactly', async (t) => {
  const cards = plugIn({
    device: '0x74a1',
    'hwmon/hwmon0/name': 'amdgpu',
    'hwmon/hwmon0/power1_input': 748_000_000,
  });
  const path = cards.pathOf(1, 'gpu_metrics');
  writeFileSync(path, accelerator(10n ** 12n, [1000, 0, 10, 0, 0, 0]));
  const rig = await startCardRig(t, factory, { cards });
  const first = await rig.read();
  assert.equal(first[`hw.energy ${address}`], 0);
  assert.equal(first[`hw.gpu.power ${address}`], 748);
  assert.equal(first[`hw.temperature ${address}/temperature-junction junction`], 45);
  assert.equal(first[`hw.gpu.utilization ${address} general`], 0.99);
  assert.equal(rig.seriesOf('hw.energy')[0]?.attributes['energy.interface'], 'amdgpu_gpu_metrics');
  writeFileSync(path, accelerator(10n ** 12n + 65_536n, [2000, 0, 510, 0, 0, 0]));
  const second = await rig.read();
  assert.equal(second[`hw.energy ${address}`], 1);
  const throttled = second[`hw.gpu.throttle.time ${address} power`] ?? NaN;
  assert.ok(throttled > 0, `half of the time, ${throttled} s`);
  assert.equal(second[`hw.gpu.throttle.time ${address} thermal`], 0);
});

test('amd_gpu believes the energy counter of older cards only with stacked memory, and else integrates power', async (t) => {
  for (const [isAccelerator, expected] of [
    [true, 'amdgpu_gpu_metrics'],
    [false, 'amdgpu_power'],
  ] as const) {
    const cards = plugIn();
    const table = createTable([1, 3, 120], (bytes) => {
      bytes.writeBigUInt64LE(77n, 24);
      bytes.writeBigUInt64LE(1n << 36n, 112);
      if (isAccelerator) bytes.writeUInt16LE(40, 88);
    });
    writeFileSync(cards.pathOf(1, 'gpu_metrics'), table);
    const rig = await startCardRig(t, factory, { cards });
    const values = await rig.read();
    assert.equal(rig.seriesOf('hw.energy')[0]?.attributes['energy.interface'], expected);
    assert.equal(values[`hw.gpu.throttled ${address} thermal`], 1);
    assert.equal(values[`hw.gpu.throttled ${address} power`], 0);
    await rig.receiver.shutdown();
  }
});

test('amd_gpu leaves the energy of an integrated GPU to the package that it is in', async (t) => {
  const cards = plugIn({ ...desktop, 'hwmon/hwmon4/in1_input': 700, 'hwmon/hwmon4/in1_label': 'vddnb' });
  const table = createTable([2, 4, 160], (bytes) => {
    bytes.writeUInt16LE(4512, 4);
    bytes.writeUInt16LE(3500, 46);
  });
  writeFileSync(cards.pathOf(1, 'gpu_metrics'), table);
  const rig = await startCardRig(t, factory, { cards });
  const values = await rig.read();
  assert.equal(values[`hw.gpu.power ${address}`], 3.5, 'that of the GPU, not of the socket');
  assert.equal(values[`hw.temperature ${address}/temperature-gfx gfx`], 45.12);
  assert.equal(values[`hw.energy ${address}`], undefined);
  assert.ok((values[`hw.meter.energy ${address}`] ?? NaN) >= 0);
  assert.equal(rig.seriesOf('hw.meter.energy')[0]?.attributes['hw.parent'], 'cpu-package-0');
});

test('amd_gpu publishes no hw.energy of a GPU that another receiver has', async (t) => {
  const asked: string[] = [];
  const claims = { ...freeClaims, claim: (key: string) => (asked.push(key), 'hwmon') };
  const rig = await startCardRig(t, factory, { cards: plugIn(), claims });
  const values = await rig.read();
  assert.deepEqual(new Set(asked), new Set([`energy/gpu/${address}`]));
  assert.equal(values[`hw.energy ${address}`], undefined);
  assert.ok((values[`hw.meter.energy ${address}`] ?? NaN) >= 0);
});

test('amd_gpu takes a damaged table for a gap', async (t) => {
  const cards = plugIn();
  const path = cards.pathOf(1, 'gpu_metrics');
  writeFileSync(path, accelerator(100n));
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  for (const table of [accelerator(200n).subarray(0, 40), Buffer.alloc(1600), Buffer.from('garbage')]) {
    writeFileSync(path, table);
    assert.ok(Number.isNaN((await rig.read())[`hw.energy ${address}`]));
  }
  writeFileSync(path, accelerator(100n + 131_072n));
  assert.equal((await rig.read())[`hw.energy ${address}`], 2);
});
