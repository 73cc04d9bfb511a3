import { testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';
import { createOld, FakeRedfish } from './fake-redfish.fixture.js';

testServerFaults('redfish BMCs', {
  factory,
  settings: ([first, second]) => ({
    collection_interval: '1s',
    timeout: '300ms',
    endpoints: [{ endpoint: first }, { endpoint: second }],
  }),
  answer: () => new FakeRedfish(createOld({ PowerControl: [{ PowerConsumedWatts: 0 }] })).answer,
  isSubject: (name, host) => name.includes(host),
});
