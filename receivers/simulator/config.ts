import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { faultKinds } from '../../src/simulation/fault.js';

export const schema = {
  seed: {
    doc: 'Which machine it is: with the same seed and settings, always the same.',
    format: 'int',
    default: 1,
    min: 0,
  },
  sockets: { doc: 'Sockets of the machine.', format: 'int', default: 2, min: 1, max: 64 },
  cpus_per_socket: { doc: 'Logical CPUs of each socket.', format: 'int', default: 8, min: 1, max: 1024 },
  gpus: { doc: 'GPUs of the machine.', format: 'int', default: 1, min: 0, max: 64 },
  processes: {
    doc: 'Processes that are there from the beginning to the end.',
    format: 'int',
    default: 12,
    min: 0,
    max: 100_000,
  },
  arrivals: {
    doc: 'Processes born a second, on average; they live for 1 ms to 8 s.',
    format: 'number',
    default: 4,
    min: 0,
    max: 1000,
  },
  spread: {
    doc: 'How much processes differ in joules per CPU second, from 0, not at all, to 1.',
    format: 'number',
    default: 1,
    min: 0,
    max: 1,
  },
  sampling_interval: {
    doc: 'Time between two readings of the energy sensors, 20us or more.',
    format: 'duration',
    default: '100ms',
    min: 0.02,
    max: 30_000,
  },
  flush_interval: {
    doc: 'Time between two deliveries of the energy that was read.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  collection_interval: {
    doc: 'Time between two scans of the processes.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  sees: {
    doc: 'Which processes a scan sees: all that ran since the last one (all), as eBPF does, or only those that live (living), as a look into procfs does.',
    format: ['all', 'living'],
    default: 'all',
  },
  truth: {
    doc: 'Publishes what was really used next to what is measured, as simulator.energy.',
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
      doc: 'By which share of that time a refresh comes late, at most, from 0 to 1.',
      format: 'number',
      default: 0,
      min: 0,
      max: 1,
    },
  },
  faults: {
    torn: {
      doc: 'Share of readings that give the first digits only, from 0 to 1.',
      format: 'number',
      default: 0,
      min: 0,
      max: 1,
    },
    failed: { doc: 'Share of readings that fail.', format: 'number', default: 0, min: 0, max: 1 },
    empty: { doc: 'Share of readings that give nothing.', format: 'number', default: 0, min: 0, max: 1 },
    schedule: {
      doc: 'Faults at stated times.',
      format: 'list',
      items: {
        kind: { doc: 'What goes wrong.', format: faultKinds, default: 'failed' },
        at: { doc: 'When it begins, after the start.', format: 'duration', default: '0s' },
        for: {
          doc: 'How long it lasts; without meaning for wrap and reset.',
          format: 'duration',
          default: '1s',
        },
        domain: {
          doc: 'The sensor that has it, say package-0; unset: every sensor.',
          format: 'string',
          default: null,
        },
        cpu: { doc: 'The CPU that goes offline; unset: CPU 1.', format: 'int', default: null, min: 0 },
      },
      default: [],
    },
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
