import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeSysfs, startRig, type FakeChip } from './hwmon-machine.fixture.js';

const coretemp: FakeChip['files'] = {
  name: 'coretemp',
  temp1_crit: 100_000,
  temp1_input: 55_000,
  temp1_label: 'Physical id 0',
  temp1_max: 84_000,
  temp2_input: 54_000,
  temp2_label: 'Core 0',
  temp3_input: 52_000,
  temp3_label: 'Core 1',
  temp4_input: 53_000,
  temp4_label: 'Core 2',
  temp5_input: 50_000,
  temp5_label: 'Core 3',
};

const wifi = 'platform/soc/18000000.wifi/ieee80211/phy0';

/** The chips of the fixture that node_exporter is tested with (collector/fixtures), and files that are no readings. */
const nodeExporter: Readonly<Record<string, FakeChip>> = {
  hwmon0: { device: 'platform/coretemp.0', files: coretemp },
  hwmon1: { device: 'platform/coretemp.1', files: coretemp },
  hwmon2: {
    device: 'platform/applesmc.768',
    isOld: true,
    files: {
      fan1_input: 0,
      fan1_label: 'Left side',
      fan1_manual: 0,
      fan2_input: 1998,
      fan2_label: 'Right side',
    },
  },
  hwmon3: {
    device: 'platform/nct6775.656',
    hasLink: false,
    files: {
      name: 'nct6779',
      fan2_alarm: 0,
      fan2_input: 1098,
      fan2_target: 27_000,
      in0_input: 792,
      in0_max: 1744,
      in1_input: 1024,
      pwm1_enable: 5,
    },
  },
  hwmon4: {
    files: {
      freq1_input: 214_000_000,
      freq1_label: 'sclk',
      temp1_input: 55_000,
      temp1_label: 'foosensor',
      temp2_input: 54_000,
      temp2_label: 'foosensor',
    },
  },
  hwmon5: { device: 'platform/bogus.0', hasLink: false, files: { name: 'bogus', bogus1_input: 5 } },
  hwmon6: { device: 'platform/asus-nb-wmi', files: { name: 'asus', pwm1_enable: 2 } },
  hwmon8: { device: wifi, files: { name: 'mt7996_phy0_0', temp1_input: 55_000 } },
  hwmon9: { device: wifi, files: { name: 'mt7996_phy0_1', temp1_input: 56_000 } },
  hwmon10: { device: wifi, files: { name: 'mt7996_phy0_2', temp1_input: 57_000 } },
};

test('hwmon reads what node_exporter reads of the chips that it is tested with', async (t) => {
  const rig = await startRig(t, new FakeSysfs(nodeExporter));
  // The figures of its collector/fixtures/e2e-output.txt.
  assert.deepEqual(await rig.read(), {
    ...Object.fromEntries(
      ['coretemp.0', 'coretemp.1'].flatMap((chip) =>
        [55, 54, 52, 53, 50].map((degrees, i) => [`hw.temperature platform/${chip}/temp${i + 1}`, degrees]),
      ),
    ),
    'hw.fan.speed platform/applesmc.768/fan1': 0,
    'hw.fan.speed platform/applesmc.768/fan2': 1998,
    'hw.voltage platform/nct6775.656/in0': 0.792,
    'hw.voltage platform/nct6775.656/in1': 1.024,
    'hw.fan.speed platform/nct6775.656/fan2': 1098,
    'hw.temperature hwmon4/temp1': 55,
    'hw.temperature hwmon4/temp2': 54,
    [`hw.temperature ${wifi}:mt7996_phy0_0/temp1`]: 55,
    [`hw.temperature ${wifi}:mt7996_phy0_1/temp1`]: 56,
    [`hw.temperature ${wifi}:mt7996_phy0_2/temp1`]: 57,
  });
  assert.deepEqual(rig.attributesOf('hw.fan.speed platform/applesmc.768/fan1'), {
    'hw.type': 'fan',
    'hw.id': 'platform/applesmc.768/fan1',
    'hw.name': 'Left side',
    'hwmon.chip': '',
  });
});

/** The chips that Kepler is tested with (internal/device/testdata), by the power that its tests expect in watts. */
const kepler: readonly (readonly [FakeChip['files'], Readonly<Record<string, number>>])[] = [
  [
    {
      name: 'k10temp',
      power1_input: 45e6,
      power1_label: 'Package',
      power2_input: 15e6,
      power2_label: 'Core',
    },
    { power1: 45, power2: 15 },
  ],
  [{ name: 'platform_sensor', power1_input: 30e6 }, { power1: 30 }],
  [
    { name: 'amdgpu', power1_average: 118e6, power1_input: 120e6, power1_label: 'GPU' },
    { 'power1 average': 118, power1: 120 },
  ],
  [
    {
      name: 'test_power_chip',
      power1_enable: 1,
      power1_input: 45e6,
      power2_enable: 1,
      power2_input: 15e6,
      power3_enable: 0,
      power3_input: 5e6,
    },
    { power1: 45, power2: 15 },
  ],
  [{ name: 'ina226', in0_input: 1500, in1_input: 12_000, curr1_input: 5000 }, { power1: 60 }],
  [
    {
      name: 'ina3221',
      in1_input: 12_000,
      in2_input: 5000,
      in3_input: 3300,
      in4_input: 150,
      in5_input: 80,
      in6_input: 50,
      in7_input: 280,
      curr1_input: 1000,
      curr2_input: 500,
      curr3_input: 200,
    },
    { power1: 12, power2: 2.5, power3: 0.66 },
  ],
  [
    {
      name: 'ina3221',
      in1_enable: 1,
      in1_input: 12_000,
      in2_enable: 1,
      in2_input: 5000,
      in3_enable: 0,
      in3_input: 3300,
      curr1_input: 1000,
      curr2_input: 2000,
      curr3_input: 500,
    },
    { power1: 12, power2: 10 },
  ],
  [
    {
      name: 'max20730',
      in1_input: 48_000,
      in1_label: 'vin',
      in2_input: 12_000,
      in2_label: 'vout1',
      curr1_input: 10_000,
      curr1_label: 'iout1',
    },
    { power1: 120 },
  ],
  [
    {
      name: 'other',
      in1_input: 12_000,
      in1_label: 'VDD_CPU',
      in3_input: 1800,
      in3_label: 'VDD_SOC',
      curr1_input: 5000,
      curr1_label: 'VDD_CPU',
    },
    { power1: 60 },
  ],
  [
    {
      name: 'ina3221',
      in1_input: 12_000,
      in1_label: 'VDD_CPU',
      in2_input: 3300,
      in2_label: 'VDD_GPU',
      in3_input: 1800,
      in3_label: 'VDD_SOC',
      curr1_input: 5000,
      curr1_label: 'VDD_CPU',
      curr2_input: 10_000,
      curr2_label: 'VDD_GPU',
    },
    { power1: 60, power2: 33 },
  ],
  [{ name: 'ina3221', in1_average: 11_800, in1_input: 12_000, curr1_input: 5000 }, { power1: 60 }],
  [{ name: 'ina226', in0_input: 5000, curr1_input: 2000 }, {}],
];

test('hwmon gives the power that Kepler gives for the chips that it is tested with', async (t) => {
  for (const [files, watts] of kepler) {
    const rig = await startRig(t, new FakeSysfs({ hwmon0: { device: 'platform/a', files } }));
    const powers = Object.entries(await rig.read()).filter(([name]) => name.startsWith('hw.power '));
    const expected = Object.entries(watts).map(([name, value]) => [`hw.power platform/a/${name}`, value]);
    assert.deepEqual(Object.fromEntries(powers), Object.fromEntries(expected), String(files['name']));
  }
});

test('hwmon multiplies readings where Kepler multiplies averages, whose times may differ', async (t) => {
  const files = { in1_average: 11_800, in1_input: 12_000, curr1_average: 4900, curr1_input: 5000 };
  const rig = await startRig(t, new FakeSysfs({ hwmon0: createMeter('ina3221', files) }));
  assert.equal((await rig.read())['hw.power platform/ina3221/power1'], 60, 'Kepler: 57.82 W');
});

test('hwmon pairs no rails of a chip that is not known, unless the configuration does', async (t) => {
  const files = {
    name: 'unknown_chip',
    in1_input: 12_000,
    in2_input: 5000,
    curr1_input: 5000,
    curr2_input: 2000,
  };
  const sysfs = new FakeSysfs({ hwmon0: { device: 'platform/a', files } });
  const rig = await startRig(t, sysfs);
  assert.equal((await rig.read())['hw.power platform/a/power1'], undefined);
  const pairs = [1, 2].map((number) => ({ chip: 'unknown_chip', voltage: number, current: number }));
  const paired = await startRig(t, sysfs, { settings: { pairs } });
  const readings = await paired.read();
  assert.deepEqual(
    [readings['hw.power platform/a/power1'], readings['hw.power platform/a/power2']],
    [60, 10],
  );
});

function createMeter(name: string, files: FakeChip['files']): FakeChip {
  return { device: `platform/${name}`, files: { name, ...files } };
}

test('hwmon reads the energy of the counters that Kepler is tested with', async (t) => {
  const sysfs = new FakeSysfs({
    hwmon0: createMeter('energy_meter', { energy1_input: 500e6, energy1_label: 'Total' }),
    hwmon1: createMeter('energy_with_enable', {
      energy1_enable: 1,
      energy1_input: 500e6,
      energy2_enable: 1,
      energy2_input: 200e6,
      energy3_enable: 0,
      energy3_input: 100e6,
    }),
    hwmon2: createMeter('power_chip', { energy1_input: 300e6 }),
  });
  const rig = await startRig(t, sysfs);
  await rig.read();
  sysfs.write('hwmon0', 'energy1_input', 530e6);
  sysfs.write('hwmon1', 'energy1_input', 510e6);
  sysfs.write('hwmon1', 'energy2_input', 205e6);
  sysfs.write('hwmon2', 'energy1_input', 302e6);
  assert.deepEqual(await rig.read(1), {
    'hw.meter.energy platform/energy_meter/energy1': 30,
    'hw.meter.energy platform/energy_with_enable/energy1': 10,
    'hw.meter.energy platform/energy_with_enable/energy2': 5,
    'hw.meter.energy platform/power_chip/energy1': 2,
  });
});
