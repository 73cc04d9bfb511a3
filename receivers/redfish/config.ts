import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { clientSettings } from '../../src/http/client.js';
import { listMeters } from '../../src/scraping/meter-receiver.js';

const endpointSettings = {
  endpoint: {
    doc: 'Address of a BMC, `https://` or `http://`, without `/redfish/v1`.',
    format: 'url',
    default: 'https://localhost',
  },
} as const satisfies Schema;

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, which are taken at multiples of it on the wall clock; 1s to 1h. BMCs answer within 0.1 to 3 s.',
    format: 'duration',
    default: '10s',
    min: 1000,
    max: 3_600_000,
  },
  endpoints: listMeters(endpointSettings),
  auth: {
    doc: 'How this collector logs in. `session`: it opens a session with user and password, and closes it at shutdown. `basic`: it sends both with every request.',
    format: ['session', 'basic'],
    default: 'session',
  },
  metrics: {
    sensors: {
      doc: 'Voltages, currents, temperatures and fans. Power and energy are always read.',
      format: 'boolean',
      default: true,
    },
  },
  ...clientSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
