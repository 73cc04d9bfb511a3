import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { meterIntervalSetting } from '../../src/scraping/meter-receiver.js';

export const schema = {
  collection_interval: { ...meterIntervalSetting, default: '1s' },
  measures: {
    doc: 'What the outermost zones measure together. `host`: this machine and nothing else; their energy becomes `hw.host.energy`. `other`: anything else.',
    format: ['other', 'host'],
    default: 'other',
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
