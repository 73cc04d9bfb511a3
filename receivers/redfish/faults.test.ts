import { createEndpointSettings, testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';
import { createTree, FakeRedfish, link } from './fake-redfish.fixture.js';

const path = '/redfish/v1/Chassis/1/EnvironmentMetrics';
const tree = createTree({ 1: { EnvironmentMetrics: link(path) } });

testServerFaults('redfish BMCs', {
  factory,
  settings: createEndpointSettings({ collection_interval: '1s' }),
  answer: (device) => (request, response) => {
    const energy = { Reading: device.isReset ? 0.125 : 325_675.25 };
    const metrics = { PowerWatts: { Reading: 374 }, EnergykWh: energy };
    new FakeRedfish({ ...tree, [path]: metrics }).answer(request, response);
  },
  counters: /^hw\.meter\.energy/u,
  isSubject: (name, host) => name.includes(host),
});
