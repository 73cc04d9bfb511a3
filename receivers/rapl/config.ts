import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  interface: {
    doc: 'Where energy is read: perf_event, powercap, or the first of both that works (auto).',
    format: ['auto', 'perf_event', 'powercap'],
    default: 'auto',
  },
  sampling_interval: {
    doc: 'Time between two published readings, 20us to 1h. The counters move about once a millisecond.',
    format: 'duration',
    default: '1s',
    min: 0.02,
    max: 3_600_000,
  },
  flush_interval: {
    doc: 'Time between two tables, 10ms to 10s.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 10_000,
  },
  domains: {
    package: {
      doc: 'Reads the packages: each socket, or die with a counter.',
      format: 'boolean',
      default: true,
    },
    dram: { doc: 'Reads the memory of each package.', format: 'boolean', default: true },
    core: { doc: 'Reads the cores of each package, a part of it.', format: 'boolean', default: true },
    uncore: {
      doc: 'Reads the integrated GPU of each package, a part of it.',
      format: 'boolean',
      default: true,
    },
    psys: {
      doc: 'Reads the whole platform (psys), which includes the packages.',
      format: 'boolean',
      default: true,
    },
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
