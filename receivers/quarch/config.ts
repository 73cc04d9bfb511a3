import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { listMeters, meterIntervalSetting } from '../../src/scraping/meter-receiver.js';

export const schema = {
  collection_interval: { ...meterIntervalSetting, default: '1s' },
  timeout: {
    doc: 'Maximum duration of a reading of a module.',
    format: 'duration',
    default: '10s',
    min: 1,
  },
  endpoints: listMeters({
    endpoint: {
      doc: 'Address of a module, `host:port`.',
      format: 'string',
      default: 'localhost:9760',
    },
    rails: {
      doc: 'Rails to measure, by the names that the module gives them, such as 12V, 5V or 3V3.',
      format: 'string_list',
      default: ['12V', '5V'],
    },
  } as const),
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

export type Endpoint = Config['endpoints'][number];
