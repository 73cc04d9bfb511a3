import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import { factory } from './factory.js';
import { findChips } from './find-chips.js';
import { board, createBoard, FakeSysfs, startRig } from './hwmon-machine.fixture.js';

test('hwmon integrates power, as a mean where the chip averages it over a time that it states', async (t) => {
  const sysfs = createBoard({
    power1_input: 100e6,
    power2_average: 100e6,
    power2_average_interval: 1000,
  });
  const rig = await startRig(t, sysfs);
  await rig.read();
  sysfs.write('hwmon0', 'power1_input', 200e6);
  sysfs.write('hwmon0', 'power2_average', 200e6);
  assert.deepEqual(await rig.read(1), {
    [`hw.power ${board}/power1`]: 200,
    [`hw.meter.energy ${board}/power1`]: 150,
    [`hw.power ${board}/power2 1s`]: 200,
    [`hw.meter.energy ${board}/power2 1s`]: 200,
  });
});

test('hwmon begins another counter after a gap of its power and after a reset of an energy counter', async (t) => {
  const sysfs = createBoard({ energy1_input: 900e6, power2_input: 10e6 });
  const rig = await startRig(t, sysfs, { settings: { collection_interval: '1s' } });
  await rig.read();
  sysfs.write('hwmon0', 'energy1_input', 1e6);
  await rig.read(1);
  sysfs.write('hwmon0', 'energy1_input', 3e6);
  assert.equal((await rig.read(1))[`hw.meter.energy ${board}/energy1`], 2);
  assert.deepEqual(
    rig.next.tables.flatMap(({ ended }) => ended ?? []).map(({ attributes }) => attributes['hw.id']),
    [`${board}/energy1`],
  );
  assert.equal((await rig.read(20))[`hw.meter.energy ${board}/power2`], 0);
  checkTables(rig.next.tables);
});

test('hwmon counts a rail that feeds back as one that uses nothing', async (t) => {
  const sysfs = createBoard({
    in1_input: 12_000,
    in1_label: 'VBAT',
    curr1_input: -1000,
    curr1_label: 'VBAT',
    temp1_input: -5500,
  });
  const rig = await startRig(t, sysfs);
  await rig.read();
  assert.deepEqual(await rig.read(1), {
    [`hw.voltage ${board}/in1`]: 12,
    [`hw.current ${board}/curr1`]: -1,
    [`hw.temperature ${board}/temp1`]: -5.5,
    [`hw.power ${board}/power1`]: -12,
    [`hw.meter.energy ${board}/power1`]: 0,
  });
});

test('hwmon follows chips that are removed and added, and sensors that are switched on', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  sysfs.add('hwmon1', {
    device: 'platform/b',
    files: { name: 'b', in1_enable: 0, in1_input: 5000, in2_input: 3300 },
  });
  const rig = await startRig(t, sysfs);
  // A chip that was slow the last time comes after those that are read at once.
  assert.deepEqual(Object.keys(await rig.read()).toSorted(), [
    `hw.temperature ${board}/temp1`,
    'hw.voltage platform/b/in2',
  ]);
  const removed = rig.next.last('hw.temperature').map(({ series }) => series);
  sysfs.remove('hwmon0');
  sysfs.write('hwmon1', 'in1_enable', 1);
  sysfs.add('hwmon5', { device: 'platform/c', files: { name: 'c', fan1_input: 700 } });
  assert.deepEqual(await rig.read(31), {
    'hw.voltage platform/b/in1': 5,
    'hw.voltage platform/b/in2': 3.3,
    'hw.fan.speed platform/c/fan1': 700,
  });
  assert.deepEqual(
    removed.filter((one) => rig.next.tables.some(({ ended = [] }) => ended.includes(one))),
    removed,
  );
  assert.equal(removed.length, 1);
});

test('hwmon keeps the series of a chip that has another number after a reload of its driver', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const [before] = await findChips(sysfs.path);
  const renamed = new FakeSysfs({
    hwmon9: { device: board, files: { name: 'board', temp1_input: 45_000 } },
  });
  const [after] = await findChips(renamed.path);
  assert.equal(before?.id, after?.id);
  const rig = await startRig(t, renamed);
  assert.deepEqual(Object.keys(await rig.read()), [`hw.temperature ${board}/temp1`]);
});

test('hwmon ends every series when the clock was set', async (t) => {
  const rig = await startRig(t, createBoard({ temp1_input: 45_000, power1_input: 10e6 }));
  await rig.read();
  const before = rig.next.tables.flatMap(({ series }) => series);
  rig.breakClock();
  await rig.read(1);
  assert.deepEqual(
    rig.next.tables.flatMap(({ ended }) => ended ?? []),
    before,
  );
  assert.equal((await rig.read(1))[`hw.meter.energy ${board}/power1`], 10);
});

test('hwmon reads only the sensors that are wanted', async (t) => {
  const sysfs = createBoard({
    temp1_input: 45_000,
    temp2_input: 46_000,
    temp2_label: 'CPU',
    fan1_input: 900,
  });
  const settings = { sensors: { include: '^board/', exclude: '/(fan1|CPU)$' } };
  const rig = await startRig(t, sysfs, { settings });
  assert.deepEqual(Object.keys(await rig.read()), [`hw.temperature ${board}/temp1`]);
});

async function findEnergy(files: Readonly<Record<string, number>>, name = 'board') {
  const sysfs = createBoard({ ...files, name });
  const config = parseSettings(factory.schema, { sysfs: sysfs.path });
  return (await factory.probe(config, createFakeContext())).hasEnergy;
}

test('hwmon has energy, when a chip has power or a rail that is paired', async () => {
  assert.equal(await findEnergy({ power1_input: 1 }), true);
  assert.equal(await findEnergy({ in1_input: 1, curr1_input: 1 }, 'ina219'), true);
  assert.equal(await findEnergy({ in1_input: 1, curr1_input: 1 }), false);
  assert.equal(await findEnergy({ power1_input: 1 }, 'sfp'), false);
});

test('hwmon is not available on a machine without sensors, and releases its files', async (t) => {
  const empty = new FakeSysfs({ hwmon0: { device: board, files: { name: 'board', pwm1: 5 } } });
  const config = parseSettings(factory.schema, { sysfs: empty.path });
  const context = createFakeContext();
  const probe = await factory.probe(config, context);
  assert.equal(probe.available, false);
  assert.match(probe.remedies[0]?.command ?? '', /sensors-detect/u);
  const receiver = factory.create(config, context, createTableCollector());
  await assert.rejects(async () => receiver.start(), {
    name: 'UnavailableError',
    message: `Cannot read sensors: expected some in ${empty.path}/class/hwmon, found none`,
  });
  await receiver.shutdown();
  const sysfs = createBoard({ temp1_input: 45_000, fan1_input: 900 });
  const full = await factory.probe(parseSettings(factory.schema, { sysfs: sysfs.path }), context);
  const found = { available: true, found: 'sensors of board (2)', remedies: [] };
  assert.deepEqual(full, { ...found, hasEnergy: false });
  const before = (await readdir('/proc/self/fd')).length;
  const second = factory.create(
    parseSettings(factory.schema, { sysfs: sysfs.path }),
    context,
    createTableCollector(),
  );
  t.after(() => second.shutdown());
  await second.start();
  await second.shutdown();
  await second.shutdown();
  assert.equal((await readdir('/proc/self/fd')).length, before);
});
