import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  idle_power: {
    doc: 'Power of this machine when nothing runs, in watts; not set means 0.74 W per logical CPU.',
    format: 'number',
    default: null,
    min: 0,
  },
  max_power: {
    doc: 'Power of this machine when all CPUs are busy, in watts; not set means 3.5 W per logical CPU.',
    format: 'number',
    default: null,
    min: 0,
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
