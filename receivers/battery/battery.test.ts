import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFakeContext, createTableCollector } from '../../src/component/fakes.js';
import { parseSettings } from '../../src/config/settings.js';
import { checkTables } from '../../src/model/check-tables.js';
import { blockPool } from '../../src/testing/block-pool.fixture.js';
import { until } from '../../src/testing/until.js';
import { ac, FakeSupplies, lenovo, startRig, type Properties } from './battery-machine.fixture.js';
import { factory } from './factory.js';

/** A battery that counts charge, as many phones and boards have it. */
const gauge: Properties = {
  TYPE: 'Battery',
  STATUS: 'Discharging',
  VOLTAGE_NOW: 4_000_000,
  CURRENT_NOW: -500_000,
  CHARGE_NOW: 1_000_000,
  CHARGE_FULL: 3_000_000,
  TEMP: 251,
};

test('battery reads what node_exporter reads of the battery that it is tested with', async (t) => {
  const rig = await startRig(t, new FakeSupplies({ AC: ac, BAT0: lenovo }));
  // The figures of its collector/fixtures/e2e-output.txt: 36.58, 45.07 and 47.52 Wh, 81 %, 5.002 W, 11.66 V.
  assert.deepEqual(await rig.read(), {
    'hw.power_supply.online AC': 0,
    'hw.battery.charge BAT0': 0.81,
    'hw.battery.energy BAT0': 36.58 * 3600,
    'hw.battery.energy.limit BAT0 full': 45.07 * 3600,
    'hw.battery.energy.limit BAT0 design': 47.52 * 3600,
    'hw.voltage BAT0': 11.66,
    'hw.battery.cycle.count BAT0': 0,
    'hw.power BAT0': -5.002,
    'hw.status BAT0 discharging': 1,
    'hw.host.energy batteries': 0,
    'hw.host.power batteries': 5.002,
  });
  const [charge] = rig.next.last('hw.battery.charge');
  assert.deepEqual(charge?.series.attributes, {
    'hw.type': 'battery',
    'hw.id': 'power_supply/BAT0',
    'hw.name': 'BAT0',
    'hw.model': 'LNV-45N1',
    'hw.vendor': 'LGC',
    'hw.battery.chemistry': 'Li-ion',
  });
  checkTables(rig.next.tables);
});

test('battery reads charge, and derives power from voltage and current', async (t) => {
  const rig = await startRig(t, new FakeSupplies({ gauge }));
  assert.deepEqual(await rig.read(), {
    'hw.battery.electric_charge gauge': 3600,
    'hw.battery.electric_charge.limit gauge full': 10_800,
    'hw.voltage gauge': 4,
    'hw.temperature gauge': 25.1,
    'hw.current gauge': -0.5,
    'hw.power gauge': -2,
    'hw.status gauge discharging': 1,
    'hw.host.energy batteries': 0,
    'hw.host.power batteries': 2,
  });
});

test('battery reads means where a driver has no other values, and no time that a smart battery does not know', async (t) => {
  const smart = {
    TYPE: 'Battery',
    STATUS: 'Discharging',
    VOLTAGE_AVG: 4_000_000,
    CURRENT_AVG: -500_000,
    TIME_TO_EMPTY_AVG: 7200,
    TIME_TO_FULL_AVG: 65_535 * 60,
  };
  const rig = await startRig(t, new FakeSupplies({ smart }));
  assert.deepEqual(await rig.read(), {
    'hw.voltage smart': 4,
    'hw.battery.time_left smart discharging': 7200,
    'hw.battery.time_left smart charging': NaN,
    'hw.current smart': -0.5,
    'hw.power smart': -2,
    'hw.status smart discharging': 1,
    'hw.host.energy batteries': 0,
    'hw.host.power batteries': 2,
  });
  // The mean is not published as a second series of the same battery.
  const both = new FakeSupplies({
    BAT0: { ...lenovo, VOLTAGE_AVG: 1, TIME_TO_EMPTY_NOW: 60, TIME_TO_EMPTY_AVG: 90 },
  });
  const readings = await (await startRig(t, both)).read();
  assert.deepEqual(
    [readings['hw.voltage BAT0'], readings['hw.battery.time_left BAT0 discharging']],
    [11.66, 60],
  );
});

for (const [status, microamperes, amperes] of [
  ['Discharging', 500_000, -0.5],
  ['Discharging', -500_000, -0.5],
  ['Charging', 500_000, 0.5],
  ['Charging', -500_000, 0.5],
  ['Full', 0, 0],
  ['Unknown', -3000, -0.003],
] as const) {
  test(`battery takes ${microamperes} uA for ${amperes} A while ${status}`, async (t) => {
    const rig = await startRig(
      t,
      new FakeSupplies({ BAT: { ...gauge, STATUS: status, CURRENT_NOW: microamperes } }),
    );
    const readings = await rig.read();
    assert.equal(readings['hw.current BAT'], amperes);
    assert.equal(readings['hw.power BAT'], 4 * amperes);
    assert.equal(readings['hw.host.power batteries'], status === 'Discharging' ? 2 : undefined);
  });
}

for (const [what, text] of [
  ['is empty', ''],
  ['lost its end', 'POWER_SUPPLY_NAME=BAT0\nPOWER_SUPPLY_VOLTAGE_NOW=116'],
  ['has something else', 'garbage\n'],
] as const) {
  test(`battery has a gap where the file of a supply ${what}, and reads the others`, async (t) => {
    const supplies = new FakeSupplies({ AC: ac, BAT0: lenovo });
    const rig = await startRig(t, supplies);
    await rig.read();
    writeFileSync(supplies.path('BAT0'), text);
    for (let i = 0; i < 2; i++) {
      const readings = await rig.read(1);
      assert.deepEqual(
        [
          readings['hw.voltage BAT0'],
          readings['hw.host.energy batteries'],
          readings['hw.power_supply.online AC'],
        ],
        [NaN, NaN, 0],
      );
    }
    const path = supplies.path('BAT0');
    assert.deepEqual(rig.log, [
      `error: Cannot scrape: Cannot read power supplies: ${path}: expected the properties of a power supply, found none`,
    ]);
    supplies.write('BAT0', lenovo);
    assert.equal((await rig.read(1))['hw.host.energy batteries'], 15.006);
  });
}

test('battery has a gap where a value is none, or is beyond what a battery can have', async (t) => {
  const supplies = new FakeSupplies({ BAT0: lenovo });
  const rig = await startRig(t, supplies);
  supplies.write('BAT0', {
    ...lenovo,
    CAPACITY: 101,
    ENERGY_NOW: 'N/A',
    POWER_NOW: 65_535_000_000_000,
    VOLTAGE_NOW: -5,
  });
  const readings = await rig.read(1);
  for (const name of ['battery.charge', 'battery.energy', 'power', 'voltage']) {
    assert.equal(readings[`hw.${name} BAT0`], NaN, name);
  }
  assert.equal(readings['hw.host.power batteries'], NaN);
  // The kernel leaves out what it cannot read at the moment.
  const { ENERGY_NOW: _, ...lacking } = lenovo;
  supplies.write('BAT0', lacking);
  assert.equal((await rig.read(1))['hw.battery.energy BAT0'], NaN);
});

test('battery follows supplies that are plugged in and out, and another battery in the same slot', async (t) => {
  const supplies = new FakeSupplies({ BAT0: lenovo });
  const rig = await startRig(t, supplies);
  await rig.read();
  const before = rig.next.last('hw.voltage');
  supplies.write('USB', { TYPE: 'USB', ONLINE: 1, VOLTAGE_NOW: 20_000_000, CURRENT_NOW: 1_500_000 });
  supplies.write('BAT0', { ...lenovo, MODEL_NAME: 'other', STATUS: 'Full' });
  const readings = await rig.read(1);
  assert.deepEqual(
    [readings['hw.power USB'], readings['hw.power_supply.online USB'], readings['hw.status BAT0 full']],
    [30, 1, 1],
  );
  const ended = new Set(rig.next.tables.flatMap((table) => table.ended ?? []));
  assert.ok(before.every(({ series }) => ended.has(series)));
  rmSync(join(supplies.path('USB'), '..'), { recursive: true });
  assert.equal((await rig.read(1))['hw.power USB'], undefined);
  checkTables(rig.next.tables);
});

test('battery has a gap where a supply has not answered in time, and not what it read before', async (t) => {
  const supplies = new FakeSupplies({ BAT0: lenovo });
  const rig = await startRig(t, supplies);
  assert.equal((await rig.read(1))['hw.voltage BAT0'], 11.66);
  const release = blockPool(supplies.sysfs);
  const readings = await rig.read(1);
  await release();
  assert.deepEqual([readings['hw.voltage BAT0'], readings['hw.host.power batteries']], [NaN, NaN]);
  assert.deepEqual(rig.log, [
    'error: Cannot scrape: Cannot read power supplies: BAT0: no answer within 1000 ms',
  ]);
});

test('battery starts and shuts down although a supply does not answer', async (t) => {
  const supplies = new FakeSupplies({ AC: ac, BAT0: lenovo });
  const rig = await startRig(t, supplies);
  const release = blockPool(supplies.sysfs);
  t.after(release);
  await rig.read(1);
  await rig.shutdown();
  const second = parseSettings(factory.schema, { sysfs: supplies.sysfs });
  const { available, found } = await factory.probe(second, createFakeContext());
  assert.equal(available, false);
  assert.match(found, /^AC, BAT0 in .*, none of which can be read or is selected$/u);
  await release();
});

test('battery has a gap where a file cannot be read from its start', async (t) => {
  const supplies = new FakeSupplies({ AC: ac });
  mkdirSync(join(supplies.path('BAT0'), '..'));
  execFileSync('mkfifo', [supplies.path('BAT0')]);
  // Without a writer, it would be empty.
  const writer = openSync(supplies.path('BAT0'), constants.O_RDWR);
  t.after(() => closeSync(writer));
  const rig = await startRig(t, supplies);
  assert.deepEqual(await rig.read(), { 'hw.power_supply.online AC': 0 });
  assert.deepEqual(rig.log, [
    `error: Cannot scrape: Cannot read power supplies: ${supplies.path('BAT0')}: ESPIPE`,
  ]);
});

test('battery is not available on a machine without power supplies, and releases its files', async (t) => {
  const context = createFakeContext();
  const empty = parseSettings(factory.schema, { sysfs: new FakeSupplies({}).sysfs });
  assert.equal((await factory.probe(empty, context)).available, false);
  const receiver = factory.create(empty, context, createTableCollector());
  await assert.rejects(async () => receiver.start(), { name: 'UnavailableError' });
  await receiver.shutdown();
  const full = parseSettings(factory.schema, { sysfs: new FakeSupplies({ AC: ac, BAT0: lenovo }).sysfs });
  assert.equal((await factory.probe(full, context)).found, 'power supplies AC (Mains), BAT0 (Battery)');
  const before = (await readdir('/proc/self/fd')).length;
  const next = createTableCollector();
  const second = factory.create(full, context, next);
  t.after(() => second.shutdown());
  await second.start();
  await until(() => next.tables.length > 0);
  await second.shutdown();
  await second.shutdown();
  assert.equal((await readdir('/proc/self/fd')).length, before);
});
