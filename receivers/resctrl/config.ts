import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  group_limit: {
    doc: 'Monitoring groups of each control group that have series of their own, the first ones by name; 0: all.',
    format: 'int',
    default: 256,
    min: 0,
  },
  occupancy: {
    doc: 'How much of the last-level cache each group has.',
    format: 'boolean',
    default: true,
  },
  resctrl: { doc: 'Where resctrl is mounted.', format: 'path', default: '/sys/fs/resctrl' },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
