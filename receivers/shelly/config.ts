import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { clientSettings } from '../../src/http/client.js';
import { listMeters, meterIntervalSetting } from '../../src/scraping/meter-receiver.js';

const endpointSettings = {
  endpoint: {
    doc: 'Address of a device, `http://` or `https://`.',
    format: 'url',
    default: 'http://192.168.33.1',
  },
} as const satisfies Schema;

export const schema = {
  collection_interval: meterIntervalSetting,
  endpoints: listMeters(endpointSettings),
  ...clientSettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
export type Endpoint = Config['endpoints'][number];
