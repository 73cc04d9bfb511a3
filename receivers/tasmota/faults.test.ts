import { createEndpointSettings, testServerFaults } from '../../src/http/server-faults.fixture.js';
import { factory } from './factory.js';

testServerFaults('tasmota devices', {
  factory,
  settings: createEndpointSettings(),
  answer:
    (device) =>
    ({ url = '' }, response) => {
      const { index, isReset } = device;
      const answers: Record<string, string> = {
        'Status 0': `{"Status":{"DeviceName":"desk"},"StatusNET":{"Mac":"24:62:A${index}"}}`,
        'Status 10': `{"StatusSNS":{"ENERGY":{"Total":${isReset ? '0.000' : '3.705'},"Power":5,"Voltage":233}}}`,
      };
      const { searchParams } = new URL(url, 'http://plug');
      response.end(answers[searchParams.get('cmnd') ?? ''] ?? '{}');
    },
  counters: /^hw\.meter\.energy/u,
  isSubject: (name) => name.includes('2462a0'),
});
