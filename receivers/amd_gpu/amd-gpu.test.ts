import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { FakeCards, startCardRig } from '../../src/gpu/fake-cards.fixture.js';
import { FakeDrm } from '../../src/linux/drm-clients.fixture.js';
import { describeStat } from '../../src/linux/process-stat.fixture.js';
import { checkTables } from '../../src/model/check-tables.js';
import { address, desktop, plugIn } from './amd-cards.fixture.js';
import { factory } from './factory.js';

test('amd_gpu reads power, temperatures, use, memory, clocks and fan from sysfs', async (t) => {
  const rig = await startCardRig(t, factory, { cards: plugIn() });
  const {
    [`hw.energy ${address}`]: joules = NaN,
    [`hw.gpu.time ${address}`]: seconds = NaN,
    ...values
  } = await rig.read();
  assert.deepEqual(values, {
    [`hw.status ${address} ok`]: 1,
    [`hw.status ${address} failed`]: 0,
    [`hw.temperature.limit ${address}/temperature-edge edge high.critical`]: 100,
    [`hw.temperature.limit ${address}/temperature-junction junction high.critical`]: 110,
    [`hw.temperature ${address}/temperature-edge edge`]: 51,
    [`hw.temperature ${address}/temperature-junction junction`]: 60,
    [`hw.voltage ${address}/voltage-vddgfx vddgfx`]: 0.856,
    [`hw.fan.speed ${address}/fan1`]: 1225,
    [`hw.gpu.clock.frequency ${address} graphics`]: 2.225e9,
    [`hw.gpu.clock.frequency ${address} memory`]: 1e9,
    [`hw.gpu.utilization ${address} general`]: 0.37,
    [`hw.gpu.utilization ${address} memory`]: 0.12,
    [`hw.gpu.memory.usage ${address}`]: 1_569_419_264,
    [`hw.gpu.memory.limit ${address}`]: 17_163_091_968,
    [`hw.gpu.memory.shared.usage ${address}`]: 152_281_088,
    [`hw.gpu.memory.shared.limit ${address}`]: 16_711_098_368,
    [`hw.gpu.power ${address}`]: 118,
    [`hw.gpu.power.limit ${address}`]: 203,
  });
  const [energy] = rig.seriesOf('hw.energy');
  assert.equal(energy?.attributes['energy.interface'], 'amdgpu_power');
  assert.equal(energy?.attributes['hw.name'], 'Radeon RX 6800');
  const later = await rig.read();
  assert.ok((later[`hw.energy ${address}`] ?? 0) > joules, 'energy is integrated');
  assert.ok((later[`hw.gpu.time ${address}`] ?? 0) > seconds, 'it is busy, though with no process');
  checkTables(rig.next.tables);
});

test('amd_gpu gives the same as node_exporter for the card of its fixtures', async (t) => {
  // Those of the module that reads cards for node_exporter: testdata/fixtures.ttar of prometheus/procfs.
  const cards = plugIn({
    gpu_busy_percent: 4,
    mem_info_gtt_total: 8_573_157_376,
    mem_info_gtt_used: 144_560_128,
    mem_info_vram_total: 8_573_157_376,
    mem_info_vram_used: 1_490_378_752,
    unique_id: '0123456789abcdef',
  });
  const rig = await startCardRig(t, factory, { cards });
  const values = await rig.read();
  assert.equal(values[`hw.gpu.utilization ${address} general`], 0.04);
  assert.equal(values[`hw.gpu.memory.shared.limit ${address}`], 8_573_157_376);
  assert.equal(values[`hw.gpu.memory.shared.usage ${address}`], 144_560_128);
  assert.equal(values[`hw.gpu.memory.limit ${address}`], 8_573_157_376);
  assert.equal(values[`hw.gpu.memory.usage ${address}`], 1_490_378_752);
  assert.equal(rig.seriesOf('hw.status')[0]?.attributes['hw.serial_number'], '0123456789abcdef');
});

test('amd_gpu knows the GPUs of CEEMS, by address and serial number, and takes no partition of them for a GPU', async (t) => {
  // pkg/collector/gpu_test.go and testdata/amd-smi of CEEMS: MI300X, two of them divided into partitions (amdgpu_xcp).
  const serials = {
    '0000:8a:00.0': '20180003050c',
    '0000:8d:00.0': '20170005280c',
    '0000:c5:00.0': '20170000800c',
    '0000:c8:00.0': '20170003580c',
  };
  const cards = new FakeCards();
  Object.entries(serials).forEach(([at, serial_number], i) => {
    cards.add(i, { address: at, driver: 'amdgpu' }, { device: '0x74a1', serial_number });
  });
  for (const i of [7, 8, 9, 10, 11, 12, 13, 14])
    cards.add(i, { address: `amdgpu_xcp.${i}`, driver: 'amdgpu' }, {});
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  const found = rig
    .seriesOf('hw.status')
    .map(({ attributes }) => [attributes['hw.id'], attributes['hw.serial_number']]);
  assert.deepEqual(Object.fromEntries(found), serials);
});

test('amd_gpu reports what it cannot read, once, and reads the rest', async (t) => {
  const cards = plugIn();
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  for (const text of ['', 'N/A', '12 34']) {
    cards.write(1, { 'hwmon/hwmon4/power1_average': text });
    const values = await rig.read();
    assert.ok(Number.isNaN(values[`hw.gpu.power ${address}`]), text);
    assert.ok(Number.isNaN(values[`hw.energy ${address}`]), text);
    assert.equal(values[`hw.gpu.utilization ${address} general`], 0.37);
    await rig.read();
    const lines = rig.log.lines.splice(0).filter((line) => line.startsWith('error'));
    assert.equal(lines.length, 1, text);
    assert.ok(lines[0]?.includes(`found "${text}"`), lines[0]);
    cards.write(1, { 'hwmon/hwmon4/power1_average': 90_000_000 });
    await rig.read();
  }
  cards.write(1, { 'hwmon/hwmon4/power1_average': 90_000_000 });
  assert.equal((await rig.read())[`hw.gpu.power ${address}`], 90);
});

test('amd_gpu does not wake a GPU that is switched off', async (t) => {
  const cards = plugIn({ ...desktop, 'power/runtime_status': 'active' });
  const rig = await startCardRig(t, factory, { cards });
  await rig.read();
  cards.write(1, { 'power/runtime_status': 'suspended' });
  const values = await rig.read();
  assert.ok(Number.isNaN(values[`hw.gpu.power ${address}`]));
  assert.equal(values[`hw.status ${address} ok`], 1);
});

/** What the kernel says of a process that uses the card. */
const client = (ns: number) => ({
  driver: 'amdgpu',
  pdev: address,
  'client-id': 5,
  'memory-vram': '2048 KiB',
  'memory-gtt': '16 KiB',
  'engine-gfx': `${ns} ns`,
  'engine-enc': `${2 * ns} ns`,
});

test('amd_gpu gives the GPU time and memory of processes', async (t) => {
  const drm = new FakeDrm();
  drm.start(4242);
  writeFileSync(join(drm.procfs, '4242/stat'), describeStat(4242, { comm: 'render' }));
  drm.write(4242, 7, client(1e9));
  const cards = plugIn({ ...desktop, gpu_busy_percent: 0 });
  const rig = await startCardRig(t, factory, { cards, drm });
  const first = await rig.read();
  assert.equal(first[`process.gpu.memory.usage 4242 ${address}`], 2 ** 21);
  drm.write(4242, 7, client(1e9 + 1000));
  const second = await rig.read();
  const grown = (name: string) => Math.round(1e9 * (second[name] ?? NaN));
  assert.equal(grown(`process.gpu.time 4242 ${address} general`), 1000);
  assert.equal(grown(`process.gpu.time 4242 ${address} encoder`), 2000);
  assert.equal(grown(`hw.gpu.time ${address}`), 3000);
});

const configOf = (sysfs: string) => parseSettings(factory.schema, { sysfs });

test('amd_gpu is unavailable without a card of amdgpu, and names what is there otherwise', async () => {
  const cards = new FakeCards();
  cards.add(0, { address: '0000:00:02.0', driver: 'i915' }, {});
  const none = await factory.probe(configOf(cards.sysfs), createFakeContext());
  assert.equal(none.available, false);
  assert.match(none.found, /^Cannot find a GPU of AMD: expected a card of amdgpu in .*, found none$/u);
  const some = await factory.probe(configOf(plugIn().sysfs), createFakeContext());
  assert.deepEqual([some.available, some.found], [true, `Radeon RX 6800 (${address}), energy from power`]);
});
