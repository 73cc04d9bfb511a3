import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, at multiples of itself on the wall clock.',
    format: 'duration',
    default: '5s',
    min: 1,
  },
  trip_points: {
    doc: 'Temperatures at which a zone is cooled, throttled or shut down.',
    format: 'boolean',
    default: true,
  },
  cooling_devices: {
    doc: 'How much each cooling device does, such as a fan or a CPU that is slowed down.',
    format: 'boolean',
    default: true,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
