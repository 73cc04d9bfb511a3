import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, at multiples of itself on the wall clock, 100ms to 1h. Most batteries measure every few seconds.',
    format: 'duration',
    default: '5s',
    min: 100,
    max: 3_600_000,
  },
  supplies: {
    include: { doc: 'Power supplies to read, by name; not set means all.', format: 'regexp', default: null },
    exclude: { doc: 'Power supplies to leave out, even if included.', format: 'regexp', default: null },
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
