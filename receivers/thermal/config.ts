import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: { ...intervalSetting, default: '5s' },
  trip_points: {
    doc: 'Whether to publish the temperatures at which a zone is cooled, throttled or shut down.',
    format: 'boolean',
    default: true,
  },
  cooling_devices: {
    doc: 'Whether to publish the state of each cooling device, such as a fan or a CPU that is slowed down.',
    format: 'boolean',
    default: true,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
