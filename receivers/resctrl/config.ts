import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  group_limit: {
    doc: 'Maximum number of monitoring groups with series of their own in each control group, the first by name. 0: no limit.',
    format: 'int',
    default: 256,
    min: 0,
  },
  occupancy: {
    doc: 'How much of the last-level cache each group occupies.',
    format: 'boolean',
    default: true,
  },
  resctrl: { doc: 'Where resctrl is mounted.', format: 'path', default: '/sys/fs/resctrl' },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
