import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, at multiples of itself on the wall clock.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  policy_limit: {
    doc: 'Policies that have series of their own, those with the lowest numbers; 0: all.',
    format: 'int',
    default: 64,
    min: 0,
  },
  limits: {
    doc: 'Lowest and highest frequency of the hardware and of the policy.',
    format: 'boolean',
    default: true,
  },
  time_in_state: {
    doc: 'Time at each frequency, where the driver counts it.',
    format: 'boolean',
    default: true,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
