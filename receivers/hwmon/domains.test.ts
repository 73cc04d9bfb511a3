import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Claims } from '../../src/component/claims.js';
import { ClaimRegistry } from '../../src/pipeline/claims.js';
import { domainRules } from './domains.js';
import { FakeSysfs, startRig, type FakeChip } from './hwmon-machine.fixture.js';

/** The joules of a second at these powers, by the metric's name and `hw.id`; only energies. */
async function readEnergies(rig: Awaited<ReturnType<typeof startRig>>) {
  await rig.read();
  const readings = Object.entries(await rig.read(1));
  return Object.fromEntries(readings.filter(([name]) => name.includes('.energy ')));
}

/** Claims of a machine on which another receiver has claimed these domains. */
function claimsAfter(...domains: readonly string[]): Claims {
  const registry = new ClaimRegistry();
  for (const domain of domains) registry.claimsFor('other').claim(`energy/${domain}`);
  return registry.claimsFor('hwmon');
}

function acpiMeter(number: number, info: string, watts: number): readonly [string, FakeChip] {
  const files = {
    name: 'power_meter',
    power1_average: watts * 1e6,
    power1_average_interval: 50,
    power1_is_battery: 0,
    power1_oem_info: info,
  };
  return [`hwmon${number}`, { device: `LNXSYSTM:00/ACPI000D:0${number}`, isOld: true, files }];
}

const graceHopper = () =>
  new FakeSysfs(
    Object.fromEntries([
      acpiMeter(1, 'Module Power Socket 0', 500),
      acpiMeter(2, 'Grace Power Socket 0', 200),
      acpiMeter(3, 'CPU Power Socket 0', 120),
      acpiMeter(4, 'SysIO Power Socket 0', 30),
    ]),
  );

const acpi = (number: number) => `LNXSYSTM:00/ACPI000D:0${number}/power1`;

test('hwmon adds up a socket of Grace, and neither its parts nor the module that holds it', async (t) => {
  const rig = await startRig(t, graceHopper());
  assert.deepEqual(await readEnergies(rig), {
    [`hw.meter.energy ${acpi(1)} 0.05s`]: 500,
    [`hw.energy ${acpi(2)} 0.05s`]: 200,
    [`hw.meter.energy ${acpi(3)} 0.05s`]: 120,
    [`hw.meter.energy ${acpi(4)} 0.05s`]: 30,
  });
  assert.deepEqual(rig.attributesOf(`hw.energy ${acpi(2)} 0.05s`), {
    'hw.type': 'cpu',
    'hw.id': acpi(2),
    'hw.name': 'Grace Power Socket 0',
    'hwmon.chip': 'power_meter',
    'hw.parent': acpi(1),
    'hw.power.window': '0.05s',
    'energy.method': 'measured',
    'energy.interface': 'hwmon_power',
  });
  const parents = [3, 4, 1].map(
    (number) => rig.attributesOf(`hw.power ${acpi(number)} 0.05s`)?.['hw.parent'],
  );
  assert.deepEqual(parents, [acpi(2), acpi(2), undefined]);
});

test('hwmon adds up no socket whose CPUs another receiver measures', async (t) => {
  const rig = await startRig(t, graceHopper(), { claims: claimsAfter('cpu/0') });
  const summed = Object.keys(await readEnergies(rig)).filter((name) => name.startsWith('hw.energy'));
  assert.deepEqual(summed, []);
});

test('hwmon takes an ACPI meter for that of the host where the firmware reports that it measures everything', async (t) => {
  const [name, chip] = acpiMeter(0, '', 300);
  const sysfs = new FakeSysfs({ [name]: chip });
  assert.deepEqual(await readEnergies(await startRig(t, sysfs)), {
    [`hw.meter.energy ${acpi(0)} 0.05s`]: 300,
  });
  mkdirSync(join(sysfs.path, 'class/hwmon', name, 'device/measures'));
  symlinkSync('/', join(sysfs.path, 'class/hwmon', name, 'device/measures/LNXSYBUS:00'));
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await readEnergies(rig), { [`hw.host.energy ${acpi(0)} 0.05s`]: 300 });
  assert.equal((await rig.read())[`hw.host.power ${acpi(0)} 0.05s`], 300);
  const second = await startRig(t, sysfs, { claims: claimsAfter('host') });
  assert.deepEqual(await readEnergies(second), { [`hw.meter.energy ${acpi(0)} 0.05s`]: 300 });
});

test('hwmon takes the configured sensor for that of the host, and no other', async (t) => {
  const [name, chip] = acpiMeter(0, '', 300);
  const sysfs = new FakeSysfs({
    [name]: chip,
    hwmon7: { device: 'platform/psu', files: { name: 'board', power1_input: 310e6 } },
  });
  mkdirSync(join(sysfs.path, 'class/hwmon', name, 'device/measures/LNXSYBUS:00'), { recursive: true });
  const rig = await startRig(t, sysfs, { settings: { host_meter: 'platform/psu/power1' } });
  assert.deepEqual(await readEnergies(rig), {
    [`hw.meter.energy ${acpi(0)} 0.05s`]: 300,
    'hw.host.energy platform/psu/power1': 310,
  });
});

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

test('hwmon adds up the rails of a Jetson that hold the CPUs or the GPU, and no GPU that another receiver has', async (t) => {
  const files = ina3221({ VDD_GPU_SOC: 1000, VDD_CPU_CV: 400, VIN_SYS_5V0: 600 });
  const sysfs = new FakeSysfs({ hwmon0: { device: i2c, files } });
  assert.deepEqual(await readEnergies(await startRig(t, sysfs)), {
    [`hw.energy ${i2c}/power1`]: 5,
    [`hw.energy ${i2c}/power2`]: 2,
    [`hw.meter.energy ${i2c}/power3`]: 3,
  });
  const beside = await startRig(t, sysfs, { claims: claimsAfter('gpu/GPU-1') });
  assert.deepEqual(Object.keys(await readEnergies(beside)), [
    `hw.meter.energy ${i2c}/power1`,
    `hw.energy ${i2c}/power2`,
    `hw.meter.energy ${i2c}/power3`,
  ]);
});

test('hwmon reads the INA3221 of Jetson boards with an old kernel', async (t) => {
  const sysfs = new FakeSysfs({});
  const device = 'platform/7000c400.i2c/i2c-6/6-0040';
  const folder = join(sysfs.path, 'devices', device, 'iio:device0');
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(sysfs.path, 'bus/i2c/drivers/ina3221x'), { recursive: true });
  symlinkSync(join('../../../../devices', device), join(sysfs.path, 'bus/i2c/drivers/ina3221x/6-0040'));
  const files = {
    rail_name_0: 'POM_5V_IN',
    in_voltage0_input: 5000,
    in_current0_input: 1000,
    in_power0_input: 5008,
    rail_name_1: 'POM_5V_GPU',
    in_voltage1_input: 5000,
    in_current1_input: 40,
    in_power1_input: 200,
  };
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), `${value}\n`);
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.voltage ${device}/in1`]: 5,
    [`hw.voltage ${device}/in2`]: 5,
    [`hw.current ${device}/curr1`]: 1,
    [`hw.current ${device}/curr2`]: 0.04,
    [`hw.host.power ${device}/power1`]: 5.008,
    [`hw.host.energy ${device}/power1`]: 0,
    [`hw.power ${device}/power2`]: 0.2,
    [`hw.energy ${device}/power2`]: 0,
  });
});

test('hwmon adds up the sockets of amd_energy unless rapl has them, and never its cores', async (t) => {
  const files = {
    name: 'amd_energy',
    energy1_input: 7e6,
    energy1_label: 'Ecore000',
    energy2_input: 9e6,
    energy2_label: 'Esocket0',
    energy3_input: 9e6,
    energy3_label: 'Esocket1',
  };
  const sysfs = new FakeSysfs({ hwmon0: { device: 'platform/amd_energy.0', files } });
  const metrics = async (claims?: Claims) => {
    const rig = await startRig(t, sysfs, claims && { claims });
    return Object.keys(await rig.read()).map((name) => name.replace('platform/amd_energy.0/', ''));
  };
  assert.deepEqual(await metrics(), ['hw.meter.energy energy1', 'hw.energy energy2', 'hw.energy energy3']);
  assert.deepEqual(await metrics(claimsAfter('cpu/0')), [
    'hw.meter.energy energy1',
    'hw.meter.energy energy2',
    'hw.energy energy3',
  ]);
});

test('hwmon reads the sensors of SCMI by the units of hwmon, and adds up none: only the firmware knows what they measure', async (t) => {
  // Attributes as drivers/hwmon/scmi-hwmon.c makes them: an input and a label for each sensor, by the firmware's names.
  const files = {
    name: 'scmi_sensors',
    temp1_input: 45_500,
    temp1_label: 'soc_temp',
    in0_input: 900,
    in0_label: 'big_volt',
    curr1_input: 1_500,
    curr1_label: 'big_curr',
    power1_input: 1_350_000,
    power1_label: 'big_power',
    energy1_input: 4_000_000,
    energy1_label: 'big_energy',
    energy2_input: 9_000_000,
    energy2_label: 'soc_energy',
  };
  const device = 'platform/firmware:scmi/scmi_dev.3';
  const rig = await startRig(t, new FakeSysfs({ hwmon0: { device, files } }));
  await rig.read();
  assert.deepEqual(await rig.read(1), {
    [`hw.temperature ${device}/temp1`]: 45.5,
    [`hw.voltage ${device}/in0`]: 0.9,
    [`hw.current ${device}/curr1`]: 1.5,
    [`hw.power ${device}/power1`]: 1.35,
    // Its number is no reason to take energy1 for its counter.
    [`hw.meter.energy ${device}/power1`]: 1.35,
    [`hw.meter.energy ${device}/energy1`]: 0,
    [`hw.meter.energy ${device}/energy2`]: 0,
  });
});

test('hwmon adds up a graphics card once, by its counter', async (t) => {
  const device = 'pci0000:00/0000:00:01.0/0000:03:00.0';
  const files = {
    name: 'xe',
    energy1_input: 1e6,
    energy1_label: 'card',
    energy2_input: 1e6,
    energy2_label: 'pkg',
    power1_input: 50e6,
    power1_label: 'card',
  };
  const sysfs = new FakeSysfs({ hwmon0: { device, files } });
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await rig.read(), {
    [`hw.power ${device}/power1`]: 50,
    [`hw.energy ${device}/energy1`]: 0,
    [`hw.meter.energy ${device}/energy2`]: 0,
  });
  assert.equal(rig.attributesOf(`hw.meter.energy ${device}/energy2`)?.['hw.parent'], `${device}/energy1`);
  const beside = await startRig(t, sysfs, { claims: claimsAfter('gpu/0000:03:00.0') });
  assert.equal(`hw.energy ${device}/energy1` in (await beside.read()), false);
});

test('hwmon takes the power of an integrated GPU of AMD for that of its socket', async (t) => {
  const device = 'pci0000:00/0000:00:08.1/0000:06:00.0';
  const card = { name: 'amdgpu', power1_average: 20e6, power1_label: 'PPT' };
  const read = async (files: FakeChip['files']) =>
    Object.keys(await readEnergies(await startRig(t, new FakeSysfs({ hwmon0: { device, files } }))));
  assert.deepEqual(await read(card), [`hw.energy ${device}/power1 average`]);
  const integrated = { ...card, in1_input: 900, in1_label: 'vddnb' };
  assert.deepEqual(await read(integrated), [`hw.meter.energy ${device}/power1 average`]);
});

test('hwmon makes no energy of the power of light, nor of batteries', async (t) => {
  const light = { name: 'sfp', power1_input: 500, power1_label: 'TX_power' };
  const battery = { name: 'BAT0', in0_input: 12_000, curr1_input: 1000, power1_input: 12e6 };
  const rig = await startRig(
    t,
    new FakeSysfs({
      hwmon0: { device: 'platform/sfp', files: light },
      hwmon1: { device: 'LNXSYSTM:00/PNP0C0A:00/power_supply/BAT0', files: battery },
    }),
  );
  assert.deepEqual(await readEnergies(rig), {});
  assert.equal((await rig.read())['hw.power platform/sfp/power1'], 0.0005);
});

test('every rule of a domain names its source', () => {
  for (const { source } of domainRules) assert.match(source, /\S/u);
  assert.ok(domainRules.length > 8);
});
