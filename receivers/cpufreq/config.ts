import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  policy_limit: {
    doc: 'Maximum number of policies with series of their own, those with the lowest numbers. 0: no limit.',
    format: 'int',
    default: 64,
    min: 0,
  },
  limits: {
    doc: 'Lowest and highest frequency that the hardware supports, and that the policy allows.',
    format: 'boolean',
    default: true,
  },
  time_in_state: {
    doc: 'Time spent at each frequency, if the driver counts it.',
    format: 'boolean',
    default: true,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
