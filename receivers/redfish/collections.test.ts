import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createModern, createTree, link, type Resources } from './fake-redfish.fixture.js';
import { startRig } from './redfish-rig.fixture.js';

const chassis = (id: string) => ({ [id]: { Power: link(`/redfish/v1/Chassis/${id}/Power`) } });
const power = (watts: number) => ({ PowerControl: [{ PowerConsumedWatts: watts }] });

test('redfish reads collections on several pages', async (t) => {
  const { last } = await startRig(t, {
    ...createTree({ ...chassis('1'), ...chassis('2'), ...chassis('3') }),
    '/redfish/v1/Chassis': {
      Members: [link('/redfish/v1/Chassis/1')],
      'Members@odata.nextLink': '/redfish/v1/Chassis?$skip=1',
    },
    '/redfish/v1/Chassis?$skip=1': {
      Members: [link('/redfish/v1/Chassis/2')],
      'Members@odata.nextLink': '/redfish/v1/Chassis?$skip=2',
    },
    // A page that links to itself ends with its empty list.
    '/redfish/v1/Chassis?$skip=2': { Members: [], 'Members@odata.nextLink': '/redfish/v1/Chassis?$skip=2' },
    '/redfish/v1/Chassis/1/Power': power(100),
    '/redfish/v1/Chassis/2/Power': power(200),
    '/redfish/v1/Chassis/3/Power': power(300),
  });
  assert.deepEqual(last('hw.power'), { '1': 100, '2': 200 });
});

test('redfish reads sensors on several pages, with the query that the BMC has', async (t) => {
  const path = '/redfish/v1/Chassis/1/Sensors';
  const { '/redfish/v1': root, [`${path}?$expand=.`]: sensors, ...resources } = createModern();
  const next = `${path}?$expand=*&$skip=1`;
  const more = { ...link(`${path}/CPU2`), Id: 'CPU2', ReadingType: 'Temperature', Reading: 48 };
  const { last, bmc } = await startRig(t, {
    ...resources,
    '/redfish/v1': {
      ...(root as Resources),
      ProtocolFeaturesSupported: { ExpandQuery: { ExpandAll: true, NoLinks: false } },
    },
    [`${path}?$expand=*`]: { ...(sensors as Resources), 'Members@odata.nextLink': next },
    [next]: { Members: [more] },
  });
  assert.deepEqual(last('hw.temperature'), { '1': 25.5, '1/sensor:CPU1': 51, '1/sensor:CPU2': 48 });
  assert.ok(!bmc.requests.some((request) => request.includes('$expand=.')));
});

/** OpenBMC without `$expand` and without the older resources: bmcweb with its default options. */
function createOpenBmc(): Resources {
  const path = '/redfish/v1/Chassis/chassis';
  const links = { PowerSubsystem: link(`${path}/PowerSubsystem`), Sensors: link(`${path}/Sensors`) };
  const supplies = `${path}/PowerSubsystem/PowerSupplies`;
  const sensors: Readonly<Record<string, Resources>> = {
    power_total_power: { ReadingType: 'Power', Reading: 312 },
    power_ps0_input_power: { ReadingType: 'Power', Reading: 318.5 },
    temperature_inlet: { ReadingType: 'Temperature', Reading: 24 },
  };
  return {
    ...createTree({ chassis: links }),
    [`${path}/PowerSubsystem`]: { PowerSupplies: link(supplies) },
    [supplies]: { Members: [link(`${supplies}/powersupply0`)] },
    [`${supplies}/powersupply0`]: { Id: 'powersupply0', Status: { State: 'Enabled', Health: 'OK' } },
    [`${path}/Sensors`]: { Members: Object.keys(sensors).map((id) => link(`${path}/Sensors/${id}`)) },
    ...Object.fromEntries(
      Object.entries(sensors).map(([id, sensor]) => [
        `${path}/Sensors/${id}`,
        { ...link(`${path}/Sensors/${id}`), Id: id, ...sensor },
      ]),
    ),
  };
}

test('redfish reads the sensors of power of a BMC that cannot expand collections, and no others twice', async (t) => {
  const { last, bmc, read } = await startRig(t, createOpenBmc(), { measures: 'host' });
  await read();
  assert.deepEqual(last('hw.power'), { chassis: 312, 'chassis/sensor:power_ps0_input_power': 318.5 });
  assert.deepEqual(Object.values(last('hw.host.power')), [312]);
  assert.deepEqual(last('hw.temperature'), {});
  const count = (id: string) => bmc.count(`GET /redfish/v1/Chassis/chassis/Sensors/${id}`);
  assert.ok(count('power_total_power') >= 2);
  assert.equal(count('temperature_inlet'), 1);
  const total = '/redfish/v1/Chassis/chassis/Sensors/power_total_power';
  bmc.resources = { ...bmc.resources, [total]: { ...(bmc.resources[total] as Resources), Reading: null } };
  await read();
  assert.deepEqual(Object.values(last('hw.host.power')), [NaN], 'a host that is switched off');
});

test('redfish reads power supplies of the older Power if the newer ones have no metrics', async (t) => {
  const path = '/redfish/v1/Chassis/chassis';
  const resources = createOpenBmc();
  const { last, collector, bmc } = await startRig(t, {
    ...resources,
    [path]: { ...(resources[path] as Resources), Power: link(`${path}/Power`) },
    [`${path}/Power`]: {
      PowerControl: [{ PowerConsumedWatts: 312 }],
      PowerSupplies: [{ MemberId: 'PSU 0', PowerInputWatts: 320, Status: { Health: 'OK' } }],
    },
  });
  assert.deepEqual(last('hw.power'), { chassis: 312, 'chassis/power_supply:PSU 0': 320 });
  assert.equal(collector.last('hw.status').filter(({ value }) => value === 1).length, 1);
  assert.ok(!bmc.requests.some((request) => request.includes('Sensors/')));
});
