import { createEndpointSettings, testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';

testServerFaults('shelly devices', {
  factory,
  settings: createEndpointSettings(),
  answer:
    (device) =>
    ({ url = '' }, response) => {
      const { index, isReset } = device;
      const identity = { id: `plug-${index}`, mac: `A${index}`, gen: 2, auth_en: false };
      const plug = { apower: 15.8, aenergy: { total: isReset ? 0 : 9492.468 }, voltage: 230.1 };
      const status = { 'switch:0': plug, sys: { uptime: 1e6 } };
      const answers: Record<string, unknown> = { '/shelly': identity, '/rpc/Shelly.GetStatus': status };
      response.end(JSON.stringify(answers[url] ?? {}));
    },
  counters: /^hw\.meter\.energy/u,
  isSubject: (name) => name.includes('plug-0'),
});
