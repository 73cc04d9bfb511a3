import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { FakeCards, startCardRig } from '../../src/gpu/fake-cards.fixture.js';
import { checkTables } from '../../src/model/check-tables.js';
import { factory } from './factory.js';
import { buildAmdSmi, instinct, withoutCompiler as skip } from './fake-amd-smi.fixture.js';

const address = '0000:03:00.0';

type Files = Parameters<FakeCards['add']>[2];

const files: Files = { device: '0x74a1', gpu_busy_percent: 3, mem_info_gtt_total: 1000 };

/** A card with what sysfs has of it, and a receiver that reads it by a library, too. */
async function startSmi(t: TestContext, library: string, own: Files = files) {
  const cards = new FakeCards();
  cards.add(1, { address, driver: 'amdgpu' }, own);
  return { cards, rig: await startCardRig(t, factory, { cards, settings: { library } }) };
}

for (const [abi, version] of [
  [24, '24.7.1'],
  [25, '25.7.1'],
  [26, '26.0.2'],
] as const) {
  test(`amd_gpu reads a card by AMD SMI ${abi}, and from sysfs what that lacks`, { skip }, async (t) => {
    const smi = buildAmdSmi(abi);
    const { rig } = await startSmi(t, smi.path);
    await rig.read();
    smi.set({ '0.energy': `0 ${1_000_000 + 65_536} 15.3` });
    const { [`hw.gpu.time ${address}`]: _, ...values } = await rig.read();
    assert.deepEqual(values, {
      [`hw.status ${address} ok`]: 1,
      [`hw.status ${address} failed`]: 0,
      [`hw.energy ${address}`]: 1,
      [`hw.gpu.power ${address}`]: 312,
      [`hw.gpu.utilization ${address} general`]: 0.87,
      [`hw.gpu.utilization ${address} memory`]: 0.4,
      [`hw.gpu.memory.usage ${address}`]: 303_042_560,
      [`hw.gpu.memory.limit ${address}`]: 206_141_652_992,
      [`hw.gpu.memory.shared.usage ${address}`]: 14_811_136,
      [`hw.gpu.memory.shared.limit ${address}`]: 1000,
      [`hw.temperature ${address}/temperature-junction junction`]: 51,
      [`hw.temperature ${address}/temperature-mem mem`]: 46,
    });
    const [energy] = rig.seriesOf('hw.energy');
    assert.equal(energy?.attributes['energy.interface'], 'amd_smi');
    assert.equal(rig.seriesOf('hw.gpu.power')[0]?.attributes['hw.gpu.power.window'], 'instant');
    assert.ok(rig.log.lines.some((line) => line.includes(`by AMD SMI ${version},`)));
    checkTables(rig.next.tables);
  });
}

test(
  'amd_gpu integrates the averaged power of AMD SMI, where a card has no energy counter',
  { skip },
  async (t) => {
    const { '0.energy': _, ...answers } = instinct;
    const smi = buildAmdSmi(26, { ...answers, '0.power': '0 65535 118' });
    const { rig } = await startSmi(t, smi.path);
    await rig.read();
    const values = await rig.read();
    assert.ok((values[`hw.energy ${address}`] ?? 0) > 0);
    assert.equal(rig.seriesOf('hw.energy')[0]?.attributes['energy.interface'], 'amd_smi_power');
    assert.equal(values[`hw.gpu.power ${address}`], 118);
  },
);

/** What the log says of the library, and whether the card is read all the same. */
async function readWithout(t: TestContext, library: string) {
  const { rig } = await startSmi(t, library);
  const values = await rig.read();
  assert.equal(values[`hw.gpu.utilization ${address} general`], 0.03);
  assert.equal(values[`hw.energy ${address}`], undefined);
  return rig.log.lines.find((line) => line.includes('sysfs only')) ?? '';
}

test(
  'amd_gpu reads sysfs where there is no library, or it cannot be used, and reports why',
  { skip },
  async (t) => {
    assert.match(
      await readWithout(t, '/nowhere/libamd_smi.so'),
      /^warn: .*Cannot load "\/nowhere\/libamd_smi\.so"/u,
    );
    const denied = buildAmdSmi(26, { ...instinct, init: '34' });
    assert.match(await readWithout(t, denied.path), /^warn: .*: driver not loaded \(AMD SMI 34\)$/u);
    const newer = buildAmdSmi(26, { ...instinct, version: '0 27' });
    assert.match(await readWithout(t, newer.path), /expected AMD SMI 24, 25 or 26, found 27\.0\.2$/u);
    const older = buildAmdSmi(24, instinct, ['amdsmi_get_lib_version']);
    assert.match(await readWithout(t, older.path), /expected AMD SMI 24, 25 or 26, found no version$/u);
    assert.equal(await readWithout(t, 'none'), '');
  },
);

test('amd_gpu reads sysfs for a card that the library does not know', { skip }, async (t) => {
  const smi = buildAmdSmi(26, { ...instinct, '0.bdf': '0 1 3 0 0' });
  const { rig } = await startSmi(t, smi.path);
  const values = await rig.read();
  assert.equal(values[`hw.gpu.utilization ${address} general`], 0.03);
  assert.equal(values[`hw.energy ${address}`], undefined);
});

test('amd_gpu leaves out what the library lacks, or the card does not support', { skip }, async (t) => {
  const smi = buildAmdSmi(26, { ...instinct, '0.activity': '2' }, ['amdsmi_get_energy_count']);
  const { rig } = await startSmi(t, smi.path);
  await rig.read();
  const values = await rig.read();
  assert.equal(values[`hw.gpu.utilization ${address} general`], 0.03, 'from sysfs');
  assert.equal(rig.seriesOf('hw.energy')[0]?.attributes['energy.interface'], 'amd_smi_power');
  assert.equal(values[`hw.gpu.power ${address}`], 312);
});

test('amd_gpu has gaps while AMD SMI cannot read a card, and says so once', { skip }, async (t) => {
  const smi = buildAmdSmi(26);
  const { rig } = await startSmi(t, smi.path);
  await rig.read();
  smi.set({ '0.lost': '0 31' });
  await rig.read();
  const values = await rig.read();
  assert.ok(Number.isNaN(values[`hw.energy ${address}`]));
  assert.ok(Number.isNaN(values[`hw.gpu.power ${address}`]));
  assert.equal(values[`hw.gpu.memory.shared.limit ${address}`], 1000, 'sysfs is still read');
  assert.equal(rig.log.lines.filter((line) => line.includes('device not found (AMD SMI 31)')).length, 1);
  smi.set({ '0.lost': '-1', '0.energy': `0 ${1_000_000 + 131_072} 15.3` });
  assert.equal((await rig.read())[`hw.energy ${address}`], 2);
});

test(
  'amd_gpu has a failed status for a card that is lost, of which sysfs has nothing',
  { skip },
  async (t) => {
    const smi = buildAmdSmi(26);
    const { rig } = await startSmi(t, smi.path, { device: '0x74a1' });
    await rig.read();
    smi.set({ '0.lost': '0 31' });
    const values = await rig.read();
    assert.equal(values[`hw.status ${address} failed`], 1);
  },
);

/** The head of a table of gpu_metrics, all bits of which are set. */
const createTable = ([format, content, size]: readonly [number, number, number]): Buffer => {
  const table = Buffer.alloc(size, 0xff);
  table.writeUInt16LE(size, 0);
  table.set([format, content], 2);
  return table;
};

test(
  'amd_gpu believes no energy counter in an unknown unit, nor the power of a socket, of AMD SMI either',
  { skip },
  async (t) => {
    const { path } = buildAmdSmi(26);
    for (const [version, metric, source] of [
      [[1, 3, 120], 'hw.energy', 'amd_smi_power'],
      [[2, 4, 160], 'hw.meter.energy', 'amdgpu_power'],
    ] as const) {
      const cards = new FakeCards();
      cards.add(1, { address, driver: 'amdgpu' }, { ...files });
      const table = createTable(version);
      table.writeUInt16LE(3500, 46);
      writeFileSync(cards.pathOf(1, 'gpu_metrics'), table);
      const rig = await startCardRig(t, factory, { cards, settings: { library: path } });
      await rig.read();
      assert.equal(rig.seriesOf(metric)[0]?.attributes['energy.interface'], source);
      await rig.receiver.shutdown();
    }
  },
);

test(
  'amd_gpu does not open AMD SMI while a GPU is switched off, which would wake it',
  { skip },
  async (t) => {
    const smi = buildAmdSmi(26);
    const cards = new FakeCards();
    cards.add(1, { address, driver: 'amdgpu' }, files);
    cards.add(2, { address: '0000:04:00.0', driver: 'amdgpu' }, { 'power/runtime_status': 'suspended' });
    const rig = await startCardRig(t, factory, { cards, settings: { library: smi.path } });
    const values = await rig.read();
    assert.equal(values[`hw.gpu.utilization ${address} general`], 0.03);
    assert.ok(rig.log.lines.some((line) => line.includes('sysfs only: a GPU is switched off')));
  },
);
