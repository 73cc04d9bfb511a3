import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModern, createOld, createTree, link, type Resources } from './fake-redfish.fixture.js';
import { startRig } from './redfish-rig.fixture.js';

test('redfish reads the power subsystem, environment metrics and sensors of a chassis', async (t) => {
  const { last, collector, bmc } = await startRig(t, createModern());
  assert.deepEqual(last('hw.power'), {
    '1': 374,
    '1/power_supply:Bay1': 200,
    '1/power_supply:Bay1/output': 180,
    '1/power_supply:Bay2': 174,
  });
  assert.deepEqual(last('hw.voltage'), { '1/power_supply:Bay1': 230.5 });
  assert.deepEqual(last('hw.current'), { '1/power_supply:Bay1': 0.9 });
  assert.deepEqual(last('hw.temperature'), { '1': 25.5, '1/sensor:CPU1': 51 });
  assert.deepEqual(last('hw.fan.speed'), { '1/sensor:Fan1': 4200 });
  const states = collector.last('hw.status').filter(({ value }) => value === 1);
  assert.deepEqual(
    states.map(({ series: { attributes } }) => [attributes['hw.name'], attributes['hw.state']]),
    [
      ['Power Supply Bay1', 'ok'],
      ['Power Supply Bay2', 'degraded'],
    ],
  );
  assert.ok(!bmc.requests.some((request) => request.endsWith('/Power')));
});

test('redfish counts the energy of a counter, and starts again when it was reset', async (t) => {
  const resources = createModern();
  const { last, bmc, read, collector } = await startRig(t, resources);
  const path = '/redfish/v1/Chassis/1/EnvironmentMetrics';
  const count = async (metrics: unknown) => {
    bmc.resources = { ...resources, [path]: metrics };
    await read();
    return last('hw.meter.energy')['1'];
  };
  assert.equal(last('hw.meter.energy')['1'], 0);
  assert.equal(await count({ EnergykWh: { Reading: 325_675.5 } }), 900_000);
  assert.equal(await count({ EnergykWh: { Reading: null } }), NaN);
  assert.equal(await count({ EnergykWh: { Reading: 325_676.75 } }), 5_400_000);
  assert.equal(await count({ EnergykWh: { Reading: 0.125 } }), 0);
  assert.equal(await count({ EnergykWh: { Reading: 0.625 } }), 1_800_000);
  const ofChassis = collector
    .last('hw.meter.energy')
    .filter(({ series }) => String(series.attributes['hw.id']).endsWith('/1'));
  assert.equal(ofChassis.length, 2, 'a series before the reset and one after it');
});

const createControl = (watts: number) => ({ Name: 'System Input Power', PowerConsumedWatts: watts });

test('redfish reads what CEEMS reads of two chassis with the older resource Power', async (t) => {
  const { last } = await startRig(t, {
    ...createTree({
      'Chassis-1': { Power: link('/redfish/v1/Chassis/Chassis-1/Power') },
      'Chassis-2': { Power: link('/redfish/v1/Chassis/Chassis-2/Power') },
    }),
    '/redfish/v1/Chassis/Chassis-1/Power': { PowerControl: [createControl(344), createControl(53)] },
    '/redfish/v1/Chassis/Chassis-2/Power': { PowerControl: [createControl(1696)] },
  });
  const watts = last('hw.power');
  assert.deepEqual(watts, { 'Chassis-1': 344, 'Chassis-1/power_control:1': 53, 'Chassis-2': 1696 });
  // CEEMS adds up the controls of a chassis: 397 W and 1696 W in pkg/collector/redfish_test.go.
  const sumOf = (chassis: string) =>
    Object.entries(watts).reduce((sum, [id, one]) => sum + (id.startsWith(chassis) ? one : 0), 0);
  assert.deepEqual([sumOf('Chassis-1'), sumOf('Chassis-2')], [397, 1696]);
});

test('redfish reads power supplies, voltages, temperatures and fans of Power and Thermal', async (t) => {
  const power = {
    PowerControl: [{ PowerConsumedWatts: 196 }],
    PowerSupplies: [
      {
        MemberId: 'PSU.Slot.1',
        Name: 'PS1 Status',
        PowerInputWatts: 110,
        PowerOutputWatts: 98.5,
        LineInputVoltage: 232,
      },
      { MemberId: 'PSU.Slot.2', Name: 'PS2 Status', PowerInputWatts: null, Status: { State: 'Absent' } },
    ],
    Voltages: [
      { Name: 'CPU1 VCORE PG', ReadingVolts: null },
      { Name: 'PS1 Voltage 1', ReadingVolts: 232 },
    ],
  };
  const thermal = {
    Temperatures: [
      { Name: 'Inlet', ReadingCelsius: 22 },
      { Name: 'CPU2', ReadingCelsius: 0, Status: { State: 'Absent' } },
    ],
    Fans: [
      { FanName: 'Fan1', Reading: 38, ReadingUnits: 'Percent' },
      { Name: 'Fan2', Reading: 5880, ReadingUnits: 'RPM' },
    ],
  };
  const { last } = await startRig(t, createOld(power, thermal));
  assert.deepEqual(last('hw.power'), {
    '1': 196,
    '1/power_supply:PSU.Slot.1': 110,
    '1/power_supply:PSU.Slot.1/output': 98.5,
  });
  assert.deepEqual(last('hw.voltage'), { '1/power_supply:PSU.Slot.1': 232, '1/voltage:1': 232 });
  assert.deepEqual(last('hw.temperature'), { '1/temperature:0': 22 });
  assert.deepEqual(
    [last('hw.fan.speed_ratio'), last('hw.fan.speed')],
    [{ '1/fan:0': 0.38 }, { '1/fan:1': 5880 }],
  );
});

/** What BMCs of several vendors have in Power, and the power that is read of it. */
const vendors: Readonly<
  Record<string, readonly [chassis: string, power: unknown, watts: Record<string, number>]>
> = {
  'Dell iDRAC 7': [
    'System.Embedded.1',
    {
      PowerControl: [
        { Name: 'System Power Control', PowerConsumedWatts: 126, PowerMetrics: { IntervalInMin: 1 } },
      ],
      PowerSupplies: [
        {
          MemberId: 'PSU.Slot.1',
          LastPowerOutputWatts: 1600,
          PowerCapacityWatts: 1600,
          LineInputVoltage: null,
        },
      ],
    },
    { 'System.Embedded.1': 126 },
  ],
  'Dell iDRAC 7 with the rating of the input': [
    'System.Embedded.1',
    {
      PowerControl: [{ Name: 'System Power Control', PowerConsumedWatts: 135 }],
      PowerSupplies: [
        {
          MemberId: 'PSU.Slot.1',
          InputRanges: [{ InputType: 'AC', OutputWattage: 750 }],
          LastPowerOutputWatts: null,
          LineInputVoltage: 224,
          PowerInputWatts: 900,
        },
      ],
    },
    { 'System.Embedded.1': 135 },
  ],
  'a BMC with numbers as text': [
    '1',
    {
      PowerControl: [{ PowerConsumedWatts: '412.5' }],
      PowerSupplies: [{ MemberId: '0', PowerInputWatts: 'N/A', LastPowerOutputWatts: '' }],
    },
    { '1': 412.5 },
  ],
  'Fujitsu iRMC': [
    '0',
    {
      Oem: { ts_fujitsu: { ChassisPowerConsumption: { CurrentPowerConsumptionW: 150, PeakPowerW: 195 } } },
      Voltages: [{ Name: 'MAIN 12V', ReadingVolts: 12.06 }],
    },
    { '0': 150 },
  ],
  'HPE iLO 5': [
    '1',
    {
      PowerControl: [{ MemberId: '0', PowerConsumedWatts: 165, PowerCapacityWatts: 1600 }],
      PowerSupplies: [
        { MemberId: '0', Name: 'HpeServerPowerSupply', LastPowerOutputWatts: 89, LineInputVoltage: 206 },
        { MemberId: '1', Name: 'HpeServerPowerSupply', LastPowerOutputWatts: 76, LineInputVoltage: 205 },
      ],
    },
    { '1': 165, '1/power_supply:0/output': 89, '1/power_supply:1/output': 76 },
  ],
  'Lenovo XCC': [
    '1',
    {
      PowerControl: [
        { MemberId: '0', Name: 'Server Power Control', PowerConsumedWatts: 210 },
        { MemberId: '1', Name: 'CPU Sub-system Power', PowerConsumedWatts: 98 },
        { MemberId: '2', Name: 'Memory Sub-system Power', PowerConsumedWatts: 12 },
      ],
    },
    { '1': 210, '1/power_control:1': 98, '1/power_control:2': 12 },
  ],
  Supermicro: [
    '1',
    {
      PowerControl: [{ Name: 'System Power Control', PowerConsumedWatts: 313 }],
      PowerSupplies: [
        { MemberId: '0', PowerInputWatts: 160, LastPowerOutputWatts: 148 },
        { MemberId: '1', Status: { State: 'Absent' } },
      ],
    },
    { '1': 313, '1/power_supply:0': 160, '1/power_supply:0/output': 148 },
  ],
};

for (const [vendor, [chassis, power, watts]] of Object.entries(vendors)) {
  test(`redfish reads the power that a BMC of the shape of ${vendor} has`, async (t) => {
    const { last } = await startRig(t, createOld(power, undefined, chassis));
    assert.deepEqual(last('hw.power'), watts);
  });
}

const createPower = (watts: number | null) => ({
  PowerControl: [{ PowerConsumedWatts: watts }],
  PowerSupplies: [{ MemberId: '0', PowerInputWatts: 110 }],
});

test('redfish has the energy of the host by the chassis, also while its power is not known', async (t) => {
  const { bmc, read, collector } = await startRig(t, createOld(createPower(196)), { measures: 'host' });
  const host = () => collector.last('hw.host.power').map(({ value }) => value);
  assert.deepEqual(host(), [196]);
  bmc.resources = createOld(createPower(null));
  await read();
  assert.deepEqual(host(), [NaN], 'not that of the power supply alone');
  bmc.resources = createOld(createPower(200));
  await read();
  assert.deepEqual(host(), [200]);
  assert.equal(collector.last('hw.host.energy').length, 1);
});

test('redfish reads processors and accelerators of the systems in a chassis', async (t) => {
  const systems = '/redfish/v1/Systems';
  const processors = `${systems}/HGX/Processors`;
  const { '/redfish/v1': root, ...resources } = createModern();
  const { last, collector } = await startRig(t, {
    ...resources,
    '/redfish/v1': { ...(root as Resources), Systems: link(systems) },
    [systems]: { Members: [link(`${systems}/HGX`)] },
    [`${systems}/HGX`]: { Processors: link(processors), Links: { Chassis: [link('/redfish/v1/Chassis/1')] } },
    [processors]: { Members: [link(`${processors}/CPU_0`), link(`${processors}/GPU_0`)] },
    [`${processors}/CPU_0`]: { Id: 'CPU_0', ProcessorType: 'CPU' },
    [`${processors}/GPU_0`]: {
      Id: 'GPU_0',
      Name: 'Processor',
      ProcessorType: 'GPU',
      EnvironmentMetrics: link(`${processors}/GPU_0/EnvironmentMetrics`),
    },
    [`${processors}/GPU_0/EnvironmentMetrics`]: {
      PowerWatts: { Reading: 71.5 },
      EnergyJoules: { Reading: 1234.567 },
      TemperatureCelsius: { Reading: 31 },
    },
  });
  assert.equal(last('hw.power')['1/processor:GPU_0'], 71.5);
  assert.equal(last('hw.temperature')['1/processor:GPU_0'], 31);
  assert.equal(last('hw.meter.energy')['1/processor:GPU_0'], 0);
  const types = new Set(collector.last('hw.power').map(({ series }) => series.attributes['hw.type']));
  assert.ok(types.has('gpu') && !types.has('cpu'));
});
