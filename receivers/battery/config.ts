import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings, which are taken at multiples of it on the wall clock; 100ms to 1h. Most batteries measure every few seconds.',
    format: 'duration',
    default: '5s',
    min: 100,
    max: 3_600_000,
  },
  supplies: {
    include: { doc: 'Names of the power supplies to read. Unset: all.', format: 'regexp', default: null },
    exclude: {
      doc: 'Names of the power supplies to leave out, even if `include` matches them.',
      format: 'regexp',
      default: null,
    },
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
