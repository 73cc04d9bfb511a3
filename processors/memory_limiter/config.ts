import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  check_interval: {
    doc: 'Time between two checks of the memory.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  limit_mib: {
    doc: 'Limit of the resident memory of the collector, in MiB; 0: `limit_percentage` applies.',
    format: 'int',
    default: 0,
    min: 0,
  },
  spike_limit_mib: {
    doc: 'Tables are refused above the limit minus this, in MiB; 0: a fifth of the limit.',
    format: 'int',
    default: 0,
    min: 0,
  },
  limit_percentage: {
    doc: 'The limit in percent of the memory that the collector may use: of its cgroup or the machine.',
    format: 'int',
    default: 0,
    min: 0,
    max: 100,
  },
  spike_limit_percentage: {
    doc: 'The same for the spike limit; 0: a fifth of the limit.',
    format: 'int',
    default: 0,
    min: 0,
    max: 100,
  },
  min_gc_interval_when_hard_limited: {
    doc: 'Minimum time between two forced garbage collections above the limit.',
    format: 'duration',
    default: '10s',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
