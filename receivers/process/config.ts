import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { identitySettings } from '../../src/identity/process-identity.js';

/** The settings of the process receiver. */
export const schema = {
  collection_interval: {
    doc: 'Time between two scans of all processes, which start at multiples of it on the wall clock.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  cpu_time: {
    doc: 'Where the CPU time of processes comes from. `ebpf` sees every process, however short, and needs CAP_BPF, CAP_PERFMON and a kernel with BTF. `procfs` sees only processes that exist during a scan. `auto`: eBPF where it is permitted, otherwise procfs.',
    format: ['auto', 'ebpf', 'procfs'],
    default: 'auto',
  },
  detail_limit: {
    doc: 'With eBPF, the number of processes whose details are read from procfs at every scan: those that used most CPU time recently. Details of other processes are read every 30 s. Details are faults, I/O, and user and system time of processes with several threads; before Linux 6.7 also memory and threads. CPU time is read for all processes at every scan. 0: details of all processes at every scan.',
    format: 'int',
    default: 100,
    min: 0,
  },
  usage_per_socket: {
    doc: 'On machines with several CPU packages: whether to publish CPU time by package, by which `attribution` shares the energy of each package. `auto`: if `attribution` is in the pipeline, which does not forward it. `always`: for recordings.',
    format: ['auto', 'always', 'never'],
    default: 'auto',
  },
  procfs: {
    doc: 'Where procfs is mounted. With the procfs of another pid namespace, CPU time has a resolution of 10 ms.',
    format: 'path',
    default: '/proc',
  },
  sysfs: {
    doc: 'Where sysfs is mounted. It shows to which package a CPU belongs.',
    format: 'path',
    default: '/sys',
  },
  ...identitySettings,
  command_line: {
    doc: 'Whether to add the arguments of each process as `process.command_line`. They may contain secrets.',
    format: 'boolean',
    default: false,
  },
  metrics: {
    cpu: {
      doc: 'CPU time of each process, and busy time of the machine. Needed for attribution.',
      format: 'boolean',
      default: true,
    },
    count: {
      doc: 'Number of processes by state.',
      format: 'boolean',
      default: true,
    },
    memory: {
      doc: 'Resident and virtual memory.',
      format: 'boolean',
      default: true,
    },
    memory_maps: {
      doc: 'Memory that a process shares with others, and its proportional set size (PSS). The kernel walks all page tables of the process for them. This takes about 10 ms per GiB and may slow the process down.',
      format: 'boolean',
      default: false,
    },
    threads: {
      doc: 'Number of threads.',
      format: 'boolean',
      default: true,
    },
    faults: {
      doc: 'Minor and major page faults.',
      format: 'boolean',
      default: false,
    },
    io: {
      doc: 'Bytes read from and written to storage.',
      format: 'boolean',
      default: false,
    },
  },
} as const satisfies Schema;

/** The settings as the receiver sees them. */
export type Config = ConfigOf<typeof schema>;

/** Interval at which slowly changing data is checked. */
const lookAgainAfterMs = 30_000;

/** Number of scans after which slowly changing data is checked. */
export function countScansToLookAgain({ collection_interval: intervalMs }: Config): number {
  return Math.max(1, Math.round(lookAgainAfterMs / intervalMs));
}
