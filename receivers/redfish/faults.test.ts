import { createEndpointSettings, testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';
import { createOld, FakeRedfish } from './fake-redfish.fixture.js';

testServerFaults('redfish BMCs', {
  factory,
  settings: createEndpointSettings({ collection_interval: '1s' }),
  answer: () => new FakeRedfish(createOld({ PowerControl: [{ PowerConsumedWatts: 0 }] })).answer,
  isSubject: (name, host) => name.includes(host),
});
