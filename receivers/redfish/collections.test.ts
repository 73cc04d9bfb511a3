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
