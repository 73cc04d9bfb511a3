import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  groups: {
    cpu: {
      doc: 'CPU time by mode, number of CPUs, context switches, created processes, running and blocked threads.',
      format: 'boolean',
      default: true,
    },
    memory: { doc: 'Memory, swap and page faults.', format: 'boolean', default: true },
    network: {
      doc: 'Bytes, packets, errors and drops of each network interface.',
      format: 'boolean',
      default: true,
    },
    disk: { doc: 'Bytes, operations and busy time of each disk.', format: 'boolean', default: true },
    load: { doc: 'Load averages and uptime.', format: 'boolean', default: true },
    pressure: { doc: 'Pressure stall information (PSI).', format: 'boolean', default: true },
    frequency: { doc: 'Frequency of each CPU.', format: 'boolean', default: true },
  },
  cpu: {
    per_cpu: {
      doc: 'Whether CPU time is published for each logical CPU instead of as a sum over all CPUs.',
      format: 'boolean',
      default: false,
    },
  },
  memory: {
    kinds: {
      doc: 'Whether to add memory by further kinds: active, inactive, anonymous, mapped, dirty, page tables and others.',
      format: 'boolean',
      default: false,
    },
  },
  network: {
    include: { doc: 'Names of the interfaces to read. Unset: all.', format: 'regexp', default: null },
    exclude: {
      doc: 'Names of the interfaces to leave out, even if `include` matches them.',
      format: 'regexp',
      default: '^(veth|cali|ifb|dummy)',
    },
  },
  disk: {
    include: { doc: 'Names of the block devices to read. Unset: all.', format: 'regexp', default: null },
    exclude: {
      doc: 'Names of the block devices to leave out, even if `include` matches them.',
      format: 'regexp',
      default: '^(loop|ram|zram|fd|sr)[0-9]+$',
    },
    partitions: {
      doc: 'Whether to read partitions as well. The values of a disk include its partitions: do not sum them.',
      format: 'boolean',
      default: false,
    },
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
