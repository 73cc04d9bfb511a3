import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModern, createOld, link, type Resources } from './fake-redfish.fixture.js';
import { startRig } from './redfish-rig.fixture.js';

/** The fans of a ThermalSubsystem, by their ids. */
function addFans(resources: Resources, fans: Readonly<Record<string, Resources>>): Resources {
  const subsystem = '/redfish/v1/Chassis/1/ThermalSubsystem';
  const members = Object.keys(fans).map((id) => link(`${subsystem}/Fans/${id}`));
  return {
    ...resources,
    '/redfish/v1/Chassis/1': {
      ...(resources['/redfish/v1/Chassis/1'] as Resources),
      ThermalSubsystem: link(subsystem),
    },
    [subsystem]: { Fans: link(`${subsystem}/Fans`) },
    [`${subsystem}/Fans`]: { Members: members },
    ...Object.fromEntries(
      Object.entries(fans).map(([id, fan]) => [`${subsystem}/Fans/${id}`, { Id: id, ...fan }]),
    ),
  };
}

const thermalFans = {
  Bay1: { Name: 'Fan Bay 1', SpeedPercent: { Reading: 45, SpeedRPM: 2200 } },
  Bay2: { Name: 'Fan Bay 2', SpeedPercent: { Reading: 50.5 } },
  Bay3: { Name: 'Fan Bay 3', SpeedPercent: { Reading: 0 }, Status: { State: 'Absent' } },
  Bay4: { Name: 'Fan Bay 4', SpeedPercent: null },
};

test('redfish reads the fans of a ThermalSubsystem one after the other, and none of Thermal beside them', async (t) => {
  const old = createOld(
    {},
    { Fans: [{ Name: 'Fan1', Reading: 5880 }], Temperatures: [{ ReadingCelsius: 22 }] },
  );
  const { last, collector } = await startRig(t, addFans(old, thermalFans));
  assert.deepEqual(last('hw.fan.speed_ratio'), { '1/fan:Bay1': 0.45, '1/fan:Bay2': 0.505 });
  assert.deepEqual(last('hw.fan.speed'), { '1/fan:Bay1': 2200 });
  assert.deepEqual(last('hw.temperature'), { '1/temperature:0': 22 });
  const [fan] = collector.last('hw.fan.speed');
  assert.equal(fan?.series.attributes['hw.name'], 'Fan Bay 1');
  assert.match(String(fan?.series.attributes['hw.parent']), /\/1$/u);
});

test('redfish reads all fans in one answer where the BMC gives that, and the sensor of a fan once', async (t) => {
  const path = '/redfish/v1/Chassis/1/ThermalSubsystem/Fans?$expand=.';
  const sensor = '/redfish/v1/Chassis/1/Sensors/Fan1';
  const resources = {
    ...addFans(createModern(), thermalFans),
    [path]: {
      Members: [{ Id: 'Bay1', SpeedPercent: { DataSourceUri: sensor, Reading: 45, SpeedRPM: 4200 } }],
    },
  };
  const { last, bmc } = await startRig(t, resources);
  assert.deepEqual(last('hw.fan.speed'), { '1/fan:Bay1': 4200 });
  assert.equal(bmc.requests.filter((request) => request.includes('/Fans/')).length, 0);
});

test('redfish reads the fans in power supplies', async (t) => {
  const path = '/redfish/v1/Chassis/1/PowerSubsystem/PowerSupplies';
  const resources = {
    ...createModern(),
    [`${path}/Bay1/Metrics`]: {
      FanSpeedsPercent: [
        { DeviceName: 'Fan #1', Reading: 68, SpeedRPM: 3290 },
        { DeviceName: 'Fan #2', Reading: 60, SpeedRPM: 3100 },
      ],
    },
    [`${path}/Bay2/Metrics`]: { FanSpeedPercent: { Reading: 30 } },
  };
  const { last } = await startRig(t, resources);
  const [bay1, bay2] = ['1/power_supply:Bay1', '1/power_supply:Bay2'];
  assert.deepEqual(last('hw.fan.speed_ratio'), {
    [`${bay1}/fan:0`]: 0.68,
    [`${bay1}/fan:1`]: 0.6,
    [`${bay2}/fan:0`]: 0.3,
  });
  assert.deepEqual(last('hw.fan.speed'), {
    [`${bay1}/fan:0`]: 3290,
    [`${bay1}/fan:1`]: 3100,
    '1/sensor:Fan1': 4200,
  });
});
