import type { Schema } from '../../src/component/schema.js';
import { identitySettings } from '../../src/identity/process-identity.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings of all GPUs, 10ms to 1h.',
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
