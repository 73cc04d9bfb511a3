import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  check_interval: {
    doc: 'Time between two checks of the memory.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  limit_mib: {
    doc: 'Limit of the resident memory of the collector, in MiB. 0: `limit_percentage` applies.',
    format: 'int',
    default: 0,
    min: 0,
  },
  spike_limit_mib: {
    doc: 'Reserve below `limit_mib`, in MiB: tables are refused when the memory exceeds the limit minus this. 0: a fifth of the limit.',
    format: 'int',
    default: 0,
    min: 0,
  },
  limit_percentage: {
    doc: 'Limit in percent of the memory that the collector may use: that of its cgroup, or of the machine. Applies if `limit_mib` is 0. 0: 50 percent.',
    format: 'int',
    default: 0,
    min: 0,
    max: 100,
  },
  spike_limit_percentage: {
    doc: 'Reserve below `limit_percentage`, in percent of the same memory. 0: a fifth of the limit.',
    format: 'int',
    default: 0,
    min: 0,
    max: 100,
  },
  min_gc_interval_when_hard_limited: {
    doc: 'Minimum time between two garbage collections, which are forced while the memory exceeds the limit.',
    format: 'duration',
    default: '10s',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
