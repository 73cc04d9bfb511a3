import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { intervalSetting } from '../../src/scraping/scraping-receiver.js';

export const schema = {
  collection_interval: intervalSetting,
  groups: {
    cpu: {
      doc: 'CPU time by mode, CPUs, context switches, processes created, threads running and blocked.',
      format: 'boolean',
      default: true,
    },
    memory: { doc: 'Memory, swap and page faults.', format: 'boolean', default: true },
    network: { doc: 'Network interfaces.', format: 'boolean', default: true },
    disk: { doc: 'Disks.', format: 'boolean', default: true },
    load: { doc: 'Load averages and uptime.', format: 'boolean', default: true },
    pressure: { doc: 'Pressure stall information (PSI).', format: 'boolean', default: true },
    frequency: { doc: 'Frequency of each CPU.', format: 'boolean', default: true },
  },
  cpu: {
    per_cpu: {
      doc: 'CPU time of each logical CPU instead of their sum.',
      format: 'boolean',
      default: false,
    },
  },
  memory: {
    kinds: {
      doc: 'Memory by further kinds, too: active, inactive, anonymous, mapped, dirty, page tables and others.',
      format: 'boolean',
      default: false,
    },
  },
  network: {
    include: { doc: 'Interfaces to read; not set means all.', format: 'regexp', default: null },
    exclude: {
      doc: 'Interfaces to leave out, even if included.',
      format: 'regexp',
      default: '^(veth|cali|ifb|dummy)',
    },
  },
  disk: {
    include: { doc: 'Block devices to read; not set means all.', format: 'regexp', default: null },
    exclude: {
      doc: 'Block devices to leave out, even if included.',
      format: 'regexp',
      default: '^(loop|ram|zram|fd|sr)[0-9]+$',
    },
    partitions: {
      doc: 'Reads partitions as well, although the figures of a disk include its partitions.',
      format: 'boolean',
      default: false,
    },
  },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
