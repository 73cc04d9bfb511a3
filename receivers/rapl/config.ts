import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  interface: {
    doc: 'The kernel interface from which energy is read. `auto`: perf_event if it works, otherwise powercap.',
    format: ['auto', 'perf_event', 'powercap'],
    default: 'auto',
  },
  sampling_interval: {
    doc: 'Time between two published readings, 20us to 1h. The hardware updates its counters about once a millisecond.',
    format: 'duration',
    default: '1s',
    min: 0.02,
    max: 3_600_000,
  },
  flush_interval: {
    doc: 'Time between two tables, which contain all readings since the previous one; 10ms to 10s.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 10_000,
  },
  domains: {
    package: {
      doc: 'Energy of each package: a socket, or a die with a counter of its own.',
      format: 'boolean',
      default: true,
    },
    dram: { doc: 'Energy of the memory of each package.', format: 'boolean', default: true },
    core: {
      doc: 'Energy of the cores of each package, which is part of the energy of the package.',
      format: 'boolean',
      default: true,
    },
    uncore: {
      doc: 'Energy of the integrated GPU of each package, which is part of the energy of the package.',
      format: 'boolean',
      default: true,
    },
    psys: {
      doc: 'Energy of the whole platform (psys), which includes the packages.',
      format: 'boolean',
      default: true,
    },
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
