import type { ConfigOf, Schema } from '../../src/component/schema.js';

export const schema = {
  collection_interval: {
    doc: 'Time between two readings of CPU time, which are taken at multiples of it on the wall clock. For attribution, set the same interval in the receiver `process`.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  cpu_time: {
    doc: 'Where the CPU time of cgroups of version 2 comes from. `ebpf`: one call reads all of them, which needs CAP_BPF, CAP_PERFMON, a kernel with BTF and Linux 6.7. `files`: one file is read for each cgroup. `auto`: eBPF where it is permitted, otherwise files. The values are the same.',
    format: ['auto', 'ebpf', 'files'],
    default: 'auto',
  },
  details_interval: {
    doc: 'Time between two readings of everything except CPU time. Each scan reads some of the cgroups, to spread the work.',
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
    doc: 'Paths of the cgroups to read, such as `^/system.slice/`. Unset: all.',
    format: 'regexp',
    default: null,
  },
  exclude: {
    doc: 'Paths of the cgroups to leave out, even if `include` matches them. Their usage stays part of the usage of their parents.',
    format: 'regexp',
    default: null,
  },
  max_depth: {
    doc: 'Maximum depth of the cgroups to read; `/a/b` has depth 2. 0: no limit. Usage of deeper cgroups is part of the usage of their ancestors.',
    format: 'int',
    default: 0,
    min: 0,
  },
  procfs: {
    doc: 'Where procfs is mounted. Its `self/mountinfo` lists the mounted cgroup hierarchies.',
    format: 'path',
    default: '/proc',
  },
  sysfs: {
    doc: 'Where sysfs is mounted. It has the names of block devices.',
    format: 'path',
    default: '/sys',
  },
  cgroupfs: {
    doc: 'Folder where cgroup2, or the hierarchies of version 1, are mounted. Empty: found in `self/mountinfo`.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
