import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Claims } from '../../src/component/claims.js';
import { domainRules } from './domains.js';
import { claimsAfter, FakeSysfs, readEnergies, startRig, type FakeChip } from './hwmon-machine.fixture.js';

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

test('hwmon adds up a socket of newer firmware, not its parts, and takes no energy or counter for a power', async (t) => {
  const sysfs = new FakeSysfs(
    Object.fromEntries([
      acpiMeter(1, 'Total Power in uW socket 1', 150),
      acpiMeter(2, 'CPU Rail Power in uW socket 1', 70),
      acpiMeter(3, 'DRAM Power in uW socket 1', 8),
      acpiMeter(4, 'CPU Rail Output Power in uW socket 1', 55),
      acpiMeter(5, 'Total CPU Energy In uJ socket 1', 1),
      acpiMeter(6, 'Chipthrot DDR Throttle (samples x1000) socket 1', 2),
    ]),
  );
  const rig = await startRig(t, sysfs);
  assert.deepEqual(await readEnergies(rig), {
    [`hw.energy ${acpi(1)} 0.05s`]: 150,
    [`hw.meter.energy ${acpi(2)} 0.05s`]: 70,
    [`hw.meter.energy ${acpi(3)} 0.05s`]: 8,
    [`hw.meter.energy ${acpi(4)} 0.05s`]: 55,
  });
  const parts = [2, 3, 4].map((number) => rig.attributesOf(`hw.power ${acpi(number)} 0.05s`));
  assert.deepEqual(
    parts.map((part) => [part?.['hw.type'], part?.['hw.parent']]),
    [
      ['cpu', acpi(1)],
      ['memory', acpi(1)],
      ['cpu', acpi(1)],
    ],
  );
  assert.equal(Object.keys(await rig.read()).length, 8, 'no power of the last two');
  const second = await startRig(t, sysfs, { claims: claimsAfter('cpu/1') });
  assert.equal(`hw.energy ${acpi(1)} 0.05s` in (await second.read()), false);
});

test('hwmon has a gap where the firmware of Grace has no value', async (t) => {
  const sysfs = graceHopper();
  const rig = await startRig(t, sysfs);
  await rig.read();
  // PWR_METER_ERR_RETURN, in milliwatts.
  sysfs.write('hwmon2', 'power1_average', 0xffff_ffff * 1000, true);
  const failed = await rig.read(1);
  assert.deepEqual(
    [2, 3].map((number) => failed[`hw.power ${acpi(number)} 0.05s`]),
    [NaN, 120],
  );
  sysfs.write('hwmon2', 'power1_average', 200e6, true);
  assert.equal(
    (await rig.read(1))[`hw.energy ${acpi(2)} 0.05s`],
    400,
    'power is linear between two readings',
  );
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

test('hwmon names a rail by its current where the number of its power is that of another one', async (t) => {
  const device = 'platform/n3000bmc-hwmon.2.auto';
  const files = {
    name: 'n3000bmc_hwmon',
    in3_input: 900,
    in3_label: 'FPGA Core Voltage',
    curr1_input: 10_000,
    curr1_label: 'FPGA Core Current',
    power1_input: 50e6,
    power1_label: 'Board Power',
  };
  const rig = await startRig(t, new FakeSysfs({ hwmon0: { device, files } }));
  assert.deepEqual(await readEnergies(rig), {
    [`hw.meter.energy ${device}/power1`]: 50,
    [`hw.meter.energy ${device}/curr1`]: 9,
  });
  assert.equal(rig.attributesOf(`hw.power ${device}/curr1`)?.['hw.name'], 'FPGA Core');
});

test('every rule of a domain names its source', () => {
  for (const { source } of domainRules) assert.match(source, /\S/u);
  assert.ok(domainRules.length > 8);
});
