import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  per_cpu: {
    doc: 'Whether idle states are published for each logical CPU instead of as sums over all CPUs.',
    format: 'boolean',
    default: false,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
