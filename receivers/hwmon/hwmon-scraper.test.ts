import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import type { Table } from '../../src/model/table.js';
import { blockPool } from '../../src/testing/block-pool.fixture.js';
import { until } from '../../src/testing/until.js';
import { ChipReader } from './chip-reader.js';
import { factory } from './factory.js';
import { findChips } from './find-chips.js';
import { FakeSysfs, startRig, type FakeChip } from './hwmon-machine.fixture.js';
import { HwmonScraper } from './hwmon-scraper.js';

const board = 'platform/board';

function createBoard(files: FakeChip['files']): FakeSysfs {
  return new FakeSysfs({ hwmon0: { device: board, files: { name: 'board', ...files } } });
}

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

const damages = [
  ['is empty', ''],
  ['lost its end', '4500'],
  ['has a text', 'N/A\n'],
  ['has two numbers', '1 2\n'],
  ['is beyond what a sensor shows', '999999999\n'],
  ['is the least number of the kernel', '-9223372036854775808\n'],
] as const;

for (const [what, text] of damages) {
  test(`hwmon has a gap where a file ${what}, and reads the others`, async (t) => {
    const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000, power1_input: 10e6 });
    const rig = await startRig(t, sysfs);
    await rig.read();
    writeFileSync(join(sysfs.path, 'class/hwmon/hwmon0/temp1_input'), text);
    const readings = await rig.read(1);
    assert.deepEqual(
      [readings[`hw.temperature ${board}/temp1`], readings[`hw.temperature ${board}/temp2`]],
      [NaN, 46],
    );
    sysfs.write('hwmon0', 'temp1_input', 47_000);
    assert.equal((await rig.read(1))[`hw.temperature ${board}/temp1`], 47);
    assert.equal(rig.log.filter((line) => line.startsWith('error')).length <= 1, true);
  });
}

test('hwmon logs once why a sensor that it has read cannot be read', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000, temp2_input: 46_000 });
  const rig = await startRig(t, sysfs);
  writeFileSync(join(sysfs.path, 'class/hwmon/hwmon0/temp1_input'), '?');
  for (let i = 0; i < 3; i++) await rig.read(1);
  const path = join(sysfs.path, 'class/hwmon/hwmon0/temp1_input');
  assert.deepEqual(rig.log, [
    `error: Cannot scrape: Cannot read sensors: ${path}: expected a whole number, found none`,
  ]);
});

test('hwmon says nothing of a sensor that could never be read', async (t) => {
  const rig = await startRig(t, createBoard({ temp1_input: 'N/A', temp2_input: 46_000 }));
  assert.equal((await rig.read(1))[`hw.temperature ${board}/temp2`], 46);
  assert.deepEqual(rig.log, []);
});

test('hwmon does not trust a sensor that reports a fault', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000, temp1_fault: 0, fan1_input: 900, fan1_fault: 1 });
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.temperature ${board}/temp1`]: 45,
    [`hw.fan.speed ${board}/fan1`]: NaN,
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

test('hwmon has a gap where a file cannot be read from its start', async (t) => {
  const sysfs = createBoard({ temp2_input: 46_000 });
  const path = join(sysfs.path, 'class/hwmon/hwmon0/temp1_input');
  execFileSync('mkfifo', [path]);
  // Without a writer, it would be empty.
  const writer = openSync(path, constants.O_RDWR);
  t.after(() => closeSync(writer));
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.temperature ${board}/temp1`]: NaN,
    [`hw.temperature ${board}/temp2`]: 46,
  });
});

test('ChipReader reads a slow chip on the pool, and no second time meanwhile', async (t) => {
  const sysfs = createBoard({
    in1_input: 12_000,
    curr1_input: 500,
    temp1_input: 45_000,
    temp1_fault: 1,
    temp2_input: 'N/A',
  });
  const [chip] = await findChips(sysfs.path);
  const reader = new ChipReader(chip, [[0, 1]], { slowMs: -1, nowMs: () => 0 });
  t.after(() => reader.close());
  await reader.open(chip);
  reader.values.fill(0);
  const reading = reader.read();
  assert.equal(reader.isPending, true);
  assert.equal(reader.read(), reading);
  await reading;
  assert.equal(reader.isPending, false);
  assert.deepEqual([...reader.values], [12_000, 500, NaN, NaN, 6_000_000]);
  rmSync(join(sysfs.path, 'class/hwmon/hwmon0/in1_input'));
});

test('ChipReader leaves the pool after quick readings in a row, and later each time that it is slow again', async (t) => {
  const sysfs = createBoard({ in1_input: 12_000, in2_input: 3300 });
  const [chip] = await findChips(sysfs.path);
  let nowMs = 0;
  let stepMs = 10;
  const reader = new ChipReader(chip, [], { slowMs: 0.5, nowMs: () => (nowMs += stepMs) });
  t.after(() => reader.close());
  await reader.open(chip);
  const countOnPool = async (): Promise<number> => {
    let count = 0;
    for (let reading = reader.read(); reading !== undefined; reading = reader.read()) {
      count++;
      await reading;
    }
    return count;
  };
  await reader.read();
  stepMs = 0.1;
  assert.equal(await countOnPool(), 4);
  assert.equal(await countOnPool(), 0);
  stepMs = 10;
  assert.equal(reader.read(), undefined);
  await reader.read();
  stepMs = 0.1;
  assert.equal(await countOnPool(), 8);
  assert.deepEqual([...reader.values], [12_000, 3300]);
});

test('hwmon forwards the row of a chip that answers too late with the next one', async (t) => {
  const sysfs = createBoard({ temp1_input: 45_000 });
  const config = parseSettings(factory.schema, { sysfs: sysfs.path });
  let [nowNs, looks] = [0n, 0];
  const monotonicNs = (): bigint => {
    looks++;
    return nowNs;
  };
  const context = createFakeContext({ clock: { wallNs: () => nowNs, monotonicNs, countBreaks: () => 0 } });
  const scraper = await HwmonScraper.open(config, context, { slowMs: -1, nowMs: () => 0 });
  t.after(() => scraper.close());
  const release = blockPool(sysfs.path);
  const rows: Table[] = [];
  const scrape = async () => {
    for (const row of await scraper.scrape(0)) rows.push(row);
  };
  await assert.rejects(scrape, {
    message: `Cannot read sensors: ${board}: no answer within 1000 ms`,
  });
  assert.equal(rows.length, 0);
  nowNs = 1_600_000_000n;
  const before = looks;
  await release();
  await until(() => looks > before);
  nowNs = 2_000_000_000n;
  await scrape();
  assert.deepEqual(
    rows.map(({ epoch, offsets, values }) => [Number(epoch) + offsets[0], values[0]]),
    [
      [800_000_000, 45],
      [2_000_000_000, 45],
    ],
  );
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
  assert.deepEqual(full, { available: true, found: 'sensors of board (2)', remedies: [] });
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
