import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { faultKinds } from '../../src/simulation/fault.js';

export const schema = {
  seed: {
    doc: 'Seed of the machine: the same seed and settings give the same machine.',
    format: 'int',
    default: 1,
    min: 0,
  },
  sockets: { doc: 'Number of CPU sockets.', format: 'int', default: 2, min: 1, max: 64 },
  cpus_per_socket: {
    doc: 'Number of logical CPUs of each socket.',
    format: 'int',
    default: 8,
    min: 1,
    max: 1024,
  },
  gpus: { doc: 'Number of GPUs.', format: 'int', default: 1, min: 0, max: 64 },
  processes: {
    doc: 'Number of processes that run all the time.',
    format: 'int',
    default: 12,
    min: 0,
    max: 100_000,
  },
  arrivals: {
    doc: 'Mean number of further processes that start per second. Each runs for 1 ms to 8 s.',
    format: 'number',
    default: 4,
    min: 0,
    max: 1000,
  },
  spread: {
    doc: 'How much processes differ in energy per CPU second, from 0 (not at all) to 1 (by a factor of 9).',
    format: 'number',
    default: 1,
    min: 0,
    max: 1,
  },
  socket_spread: {
    doc: 'How much more energy a CPU second takes on the last socket than on the first, from 0 (the same) to 1 (twice as much).',
    format: 'number',
    default: 0,
    min: 0,
    max: 1,
  },
  memory_spread: {
    doc: 'How much processes differ in memory traffic per CPU second, and so in the energy of memory, from 0 (not at all) to 1 (by a factor of 16).',
    format: 'number',
    default: 0,
    min: 0,
    max: 1,
  },
  frequency_spread: {
    doc: 'How much processes differ in CPU frequency, and so in the energy of packages, from 0 (not at all) to 1 (by a factor of 4).',
    format: 'number',
    default: 0,
    min: 0,
    max: 1,
  },
  sampling_interval: {
    doc: 'Time between two readings of the energy sensors, 20us to 30s.',
    format: 'duration',
    default: '100ms',
    min: 0.02,
    max: 30_000,
  },
  flush_interval: {
    doc: 'Time between two tables of energy, which contain all readings since the previous one.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  collection_interval: {
    doc: 'Time between two scans of all processes, which start at multiples of it on the wall clock.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  sees: {
    doc: 'Processes that a scan sees. `all`: all that ran since the previous scan, as with eBPF. `living`: only those that still run, as with procfs.',
    format: ['all', 'living'],
    default: 'all',
  },
  truth: {
    doc: 'Whether to publish the true energy as well, as `simulator.energy`.',
    format: 'boolean',
    default: true,
  },
  sensor: {
    refresh_interval: {
      doc: 'Time between two refreshes of a sensor.',
      format: 'duration',
      default: '1ms',
      min: 0.002,
      max: 60_000,
    },
    jitter: {
      doc: 'Maximum delay of a refresh, as a share of `refresh_interval`, from 0 to 1.',
      format: 'number',
      default: 0,
      min: 0,
      max: 1,
    },
  },
  faults: {
    torn: {
      doc: 'Share of readings that return only the first digits, from 0 to 1.',
      format: 'number',
      default: 0,
      min: 0,
      max: 1,
    },
    failed: {
      doc: 'Share of readings that fail, from 0 to 1.',
      format: 'number',
      default: 0,
      min: 0,
      max: 1,
    },
    empty: {
      doc: 'Share of readings that return nothing, from 0 to 1.',
      format: 'number',
      default: 0,
      min: 0,
      max: 1,
    },
    schedule: {
      doc: 'Faults at scheduled times.',
      format: 'list',
      items: {
        kind: { doc: 'Kind of the fault; the README describes each.', format: faultKinds, default: 'failed' },
        at: { doc: 'When the fault begins, as a time since the start.', format: 'duration', default: '0s' },
        for: {
          doc: 'How long the fault lasts; ignored for `wrap` and `reset`.',
          format: 'duration',
          default: '1s',
        },
        domain: {
          doc: 'The affected sensor, such as `package-0`. Unset: every sensor.',
          format: 'string',
          default: null,
        },
        cpu: {
          doc: 'For `offline`: the CPU that goes offline. Unset: CPU 1.',
          format: 'int',
          default: null,
          min: 0,
        },
      },
      default: [],
    },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
