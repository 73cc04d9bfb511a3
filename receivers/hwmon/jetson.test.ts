import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { claimsAfter, FakeSysfs, readEnergies, startRig, type FakeChip } from './hwmon-machine.fixture.js';

type Rig = Awaited<ReturnType<typeof startRig>>;

/** The rails of an INA3221 at 5 V, by label and milliamperes. */
function ina3221(rails: Readonly<Record<string, number>>): FakeChip['files'] {
  const files: Record<string, string | number> = { name: 'ina3221', in4_input: 40, in7_input: 120 };
  Object.entries(rails).forEach(([label, milliamperes], i) => {
    files[`in${i + 1}_label`] = label;
    files[`in${i + 1}_input`] = 5000;
    files[`curr${i + 1}_input`] = milliamperes;
  });
  return files;
}

const i2c = 'platform/bus@0/c240000.i2c/i2c-1/1-0040';

test('hwmon takes the input of a Jetson module for the host, and rails of several parts for no domain', async (t) => {
  const files = ina3221({ VDD_IN: 2000, VDD_CPU_GPU_CV: 800, VDD_SOC: 600 });
  const rig = await startRig(t, new FakeSysfs({ hwmon0: { device: i2c, files } }));
  assert.deepEqual(await readEnergies(rig), {
    [`hw.host.energy ${i2c}/power1`]: 10,
    [`hw.meter.energy ${i2c}/power2`]: 4,
    [`hw.meter.energy ${i2c}/power3`]: 3,
  });
  assert.deepEqual(rig.attributesOf(`hw.meter.energy ${i2c}/power3`), {
    'hw.type': 'power_rail',
    'hw.id': `${i2c}/power3`,
    'hw.name': 'VDD_SOC',
    'hwmon.chip': 'ina3221',
    'hw.parent': `${i2c}/power1`,
    'energy.method': 'measured',
    'energy.interface': 'hwmon_voltage_current',
  });
  const readings = await rig.read();
  assert.equal(readings[`hw.voltage ${i2c}/in1`], 5);
  assert.equal(
    readings[`hw.voltage ${i2c}/in4`],
    0.00004,
    'a shunt voltage, which this driver has in microvolts',
  );
  assert.equal(readings[`hw.current ${i2c}/curr1`], 2);
});

/** The two INA3221 of a Jetson AGX Orin. */
function createOrin(): FakeSysfs {
  const module = ina3221({ VDD_GPU_SOC: 1000, VDD_CPU_CV: 400, VIN_SYS_5V0: 600 });
  const memory = ina3221({ NC: 0, VDDQ_VDD2_1V8AO: 200 });
  return new FakeSysfs({
    hwmon0: { device: i2c, files: module },
    hwmon1: { device: memoryI2c, files: memory },
  });
}

const memoryI2c = i2c.replace('1-0040', '1-0041');

/** What a series says about its domain. */
function describe(rig: Rig, series: string) {
  const { 'hw.type': type, 'hw.name': name, 'hw.parent': parent } = rig.attributesOf(series) ?? {};
  return [type, name, parent];
}

test('hwmon adds up the rails of several units of a Jetson, but not as its CPUs or its GPU', async (t) => {
  const rig = await startRig(t, createOrin());
  assert.deepEqual(await readEnergies(rig), {
    [`hw.energy ${i2c}/power1`]: 5,
    [`hw.energy ${i2c}/power2`]: 2,
    [`hw.energy ${i2c}/power3`]: 3,
    [`hw.meter.energy ${memoryI2c}/power1`]: 0,
    [`hw.meter.energy ${memoryI2c}/power2`]: 1,
  });
  assert.deepEqual(describe(rig, `hw.energy ${i2c}/power1`), ['power_rail', 'VDD_GPU_SOC', undefined]);
  assert.deepEqual(describe(rig, `hw.energy ${i2c}/power2`), ['power_rail', 'VDD_CPU_CV', undefined]);
  assert.deepEqual(describe(rig, `hw.meter.energy ${memoryI2c}/power2`), [
    'power_rail',
    'VDDQ_VDD2_1V8AO',
    `${i2c}/power3`,
  ]);
});

test('hwmon does not add up a rail of which another receiver measures a unit', async (t) => {
  const rig = await startRig(t, createOrin(), { claims: claimsAfter('gpu/GPU-1') });
  assert.deepEqual(Object.keys(await readEnergies(rig)).slice(0, 3), [
    `hw.meter.energy ${i2c}/power1`,
    `hw.energy ${i2c}/power2`,
    `hw.energy ${i2c}/power3`,
  ]);
});

test('hwmon takes a sensor for the domain that is configured', async (t) => {
  const domains = [
    { sensor: `${i2c}/power2`, hw_type: 'cpu' },
    { sensor: `${memoryI2c}/power2`, hw_type: 'memory', number: 1 },
  ];
  const rig = await startRig(t, createOrin(), { settings: { domains } });
  await rig.read();
  assert.deepEqual(describe(rig, `hw.energy ${i2c}/power2`), ['cpu', 'VDD_CPU_CV', undefined]);
  assert.deepEqual(describe(rig, `hw.energy ${memoryI2c}/power2`), ['memory', 'VDDQ_VDD2_1V8AO', undefined]);
  const second = await startRig(t, createOrin(), { settings: { domains }, claims: claimsAfter('cpu/0') });
  assert.equal(`hw.energy ${i2c}/power2` in (await second.read()), false);
});

test('hwmon adds up all rails of a Jetson AGX Xavier, which has no rail of its whole module', async (t) => {
  const files = ina3221({ GPU: 100, CPU: 200, SOC: 300 });
  const others = ina3221({ CV: 400, VDDRQ: 500, SYS5V: 600 });
  const sysfs = new FakeSysfs({
    hwmon0: { device: i2c, files },
    hwmon1: { device: memoryI2c, files: others },
  });
  const rig = await startRig(t, sysfs);
  const energies = Object.entries(await readEnergies(rig));
  assert.deepEqual(
    energies.map(([series, joules]) => [series.split(' ')[0], rig.attributesOf(series)?.['hw.type'], joules]),
    [
      ['hw.energy', 'gpu', 0.5],
      ['hw.energy', 'cpu', 1],
      ['hw.energy', 'power_rail', 1.5],
      ['hw.energy', 'power_rail', 2],
      ['hw.energy', 'memory', 2.5],
      ['hw.energy', 'power_rail', 3],
    ],
  );
});

test('hwmon names the only meter of a chip by the label that the board gives to the chip', async (t) => {
  const files = { name: 'ina238', label: 'VIN', in0_input: 3, in1_input: 12_000, curr1_input: 2000 };
  const sysfs = new FakeSysfs({ hwmon0: { device: i2c, files: { ...files, power1_input: 24e6 } } });
  const rig = await startRig(t, sysfs);
  await rig.read();
  assert.deepEqual(describe(rig, `hw.power ${i2c}/power1`), ['power_rail', 'VIN', undefined]);
  assert.deepEqual(describe(rig, `hw.voltage ${i2c}/in1`), ['voltage', 'in1', undefined]);
});

test('hwmon reads the INA3221 of Jetson boards with an old kernel', async (t) => {
  const sysfs = new FakeSysfs({});
  const device = 'platform/7000c400.i2c/i2c-6/6-0040';
  const folder = join(sysfs.path, 'devices', device, 'iio:device0');
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(sysfs.path, 'bus/i2c/drivers/ina3221x'), { recursive: true });
  symlinkSync(join('../../../../devices', device), join(sysfs.path, 'bus/i2c/drivers/ina3221x/6-0040'));
  // The figures of Kepler's testdata/sys/bus/iio, from a Jetson Nano.
  const files = {
    rail_name_0: 'POM_5V_IN',
    in_voltage0_input: 5000,
    in_current0_input: 472,
    in_power0_input: 2363,
    rail_name_1: 'POM_5V_GPU',
    in_power1_input: 0,
    rail_name_2: 'POM_5V_CPU',
    in_power2_input: 761,
  };
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), `${value}\n`);
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.voltage ${device}/in1`]: 5,
    [`hw.current ${device}/curr1`]: 0.472,
    [`hw.host.power ${device}/power1`]: 2.363,
    [`hw.host.energy ${device}/power1`]: 0,
    [`hw.power ${device}/power2`]: 0,
    [`hw.energy ${device}/power2`]: 0,
    [`hw.power ${device}/power3`]: 0.761,
    [`hw.energy ${device}/power3`]: 0,
  });
});
