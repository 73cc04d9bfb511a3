import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { identitySettings } from '../../src/identity/process-identity.js';

/** The settings of the process receiver. */
export const schema = {
  collection_interval: {
    doc: 'Time between two scans of all processes.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  cpu_time: {
    doc: 'Where the CPU time of processes comes from: `ebpf` sees every process, however short, and needs CAP_BPF, CAP_PERFMON and a kernel with BTF; `procfs` sees only processes that exist during a scan; `auto` uses eBPF where it is permitted.',
    format: ['auto', 'ebpf', 'procfs'],
    default: 'auto',
  },
  detail_limit: {
    doc: 'With eBPF: processes whose files in procfs are read whenever they have run, those that used most CPU time lately. For the others, these are read every 30 s: faults, I/O, and user and system time of processes with several threads; before Linux 6.7 also memory and threads. CPU time is that of each scan for all. 0: every process.',
    format: 'int',
    default: 100,
    min: 0,
  },
  usage_per_socket: {
    doc: 'On machines with several CPU packages, CPU time by package, by which `attribution` shares the energy of each. `auto`: where `attribution` is in the pipeline, which does not forward it; `always`, for recordings; `never`.',
    format: ['auto', 'always', 'never'],
    default: 'auto',
  },
  procfs: {
    doc: 'Where procfs is mounted; that of another pid namespace has CPU time in ticks of 10 ms only.',
    format: 'path',
    default: '/proc',
  },
  sysfs: {
    doc: 'Where sysfs is mounted, which has the packages of the CPUs.',
    format: 'path',
    default: '/sys',
  },
  ...identitySettings,
  command_line: {
    doc: 'Adds the arguments of each process as process.command_line; they may contain secrets.',
    format: 'boolean',
    default: false,
  },
  metrics: {
    cpu: {
      doc: 'CPU time of each process, and busy time of the machine: what attribution needs.',
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
      doc: 'Memory that a process shares with others, and its proportional set size (PSS). For this the kernel walks all page tables of the process, about 10 ms for each GiB, which may slow the process down.',
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
