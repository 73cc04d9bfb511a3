import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, at multiples of itself on the wall clock.',
    format: 'duration',
    default: '1s',
    min: 1,
  },
  per_cpu: {
    doc: 'The states of each logical CPU instead of the sum over all CPUs.',
    format: 'boolean',
    default: false,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
