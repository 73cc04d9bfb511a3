import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings of CPU time, at multiples of itself on the wall clock. That of the process receiver, for attribution.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  cpu_time: {
    doc: 'Where the CPU time of cgroups of version 2 comes from: `ebpf` reads all of them in one call, and needs CAP_BPF, CAP_PERFMON, a kernel with BTF and Linux 6.7; `files` reads a file of each; `auto` uses eBPF where it is permitted. Both have the same figures.',
    format: ['auto', 'ebpf', 'files'],
    default: 'auto',
  },
  details_interval: {
    doc: 'Time between two readings of everything else. Each scan reads a part of the cgroups, to spread the work.',
    format: 'duration',
    default: '10s',
    min: 10,
  },
  metrics: {
    cpu: {
      doc: 'CPU time by mode, and throttling of cgroups with a CPU quota.',
      format: 'boolean',
      default: true,
    },
    memory: {
      doc: 'Memory by kind, limits, swap, page faults, and processes killed for lack of memory.',
      format: 'boolean',
      default: true,
    },
    memory_details: {
      doc: 'Memory of the kernel and of files by kind, and pages read from and written to swap space.',
      format: 'boolean',
      default: false,
    },
    io: { doc: 'Bytes and operations of each block device.', format: 'boolean', default: true },
    pids: { doc: 'Number of threads, and its limit.', format: 'boolean', default: true },
    pressure: {
      doc: 'Pressure stall information (PSI); cgroups of version 2 only.',
      format: 'boolean',
      default: false,
    },
  },
  include: {
    doc: 'Paths of the cgroups to read, `^/system.slice/`; not set means all.',
    format: 'regexp',
    default: null,
  },
  exclude: {
    doc: 'Paths of cgroups to leave out, even if included. Their usage is still included in the cgroup above.',
    format: 'regexp',
    default: null,
  },
  max_depth: {
    doc: 'Depth to which cgroups are read, `/a/b` being 2; 0 means any. Deeper usage is included in the cgroup above.',
    format: 'int',
    default: 0,
    min: 0,
  },
  procfs: {
    doc: 'Where procfs is mounted, whose `self/mountinfo` lists the mounted hierarchies.',
    format: 'path',
    default: '/proc',
  },
  sysfs: {
    doc: 'Where sysfs is mounted, which has the names of block devices.',
    format: 'path',
    default: '/sys',
  },
  cgroupfs: {
    doc: 'Folder of cgroup2, or of the hierarchies of version 1; empty: where they are mounted.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
