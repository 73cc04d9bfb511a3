import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { identitySettings } from '../../src/identity/process-identity.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings of all GPUs, which are taken at multiples of it on the wall clock; 10ms to 1h. Most sensors are refreshed ten times a second.',
    format: 'duration',
    default: '1s',
    min: 10,
    max: 3_600_000,
  },
  library: {
    doc: 'The NVML library: a file name that the dynamic linker finds, or a path.',
    format: 'path',
    default: 'libnvidia-ml.so.1',
  },
  metrics: {
    processes: {
      doc: 'GPU time, utilization and memory of each process.',
      format: 'boolean',
      default: true,
    },
    profiling: {
      doc: 'GPM metrics of Hopper and newer GPUs: use of SMs, tensor cores and memory bandwidth, PCIe and NVLink traffic.',
      format: 'boolean',
      default: true,
    },
    pcie_sampling: {
      doc: 'PCIe traffic of GPUs without GPM, estimated from samples of 20 ms. Reading a sample takes 20 ms.',
      format: 'boolean',
      default: false,
    },
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
  ...identitySettings,
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
