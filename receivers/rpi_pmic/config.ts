import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { meterIntervalSetting } from '../../src/scraping/meter-receiver.js';

export const schema = {
  collection_interval: { ...meterIntervalSetting, default: '1s' },
  device: {
    doc: 'Device by which the firmware is asked. Unset: /dev/vcio_gencmd if it exists, otherwise /dev/vcio.',
    format: 'path',
    default: null,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
