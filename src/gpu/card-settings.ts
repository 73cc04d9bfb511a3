import type { Schema } from '../component/schema.js';
import { identitySettings } from '../identity/process-identity.js';

/** The settings of all receivers that read cards. */
export const cardSettings = {
  collection_interval: {
    doc: 'Time between two readings of all GPUs, which are taken at multiples of it on the wall clock; 10ms to 1h.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 3_600_000,
  },
  metrics: {
    processes: { doc: 'GPU time and memory of each process.', format: 'boolean', default: true },
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
  ...identitySettings,
} as const satisfies Schema;
