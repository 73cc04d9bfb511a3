import type { ConfigOf, Schema } from '../../src/component/schema.js';

const hw_type = {
  doc: 'Kind of hardware that the entry matches. Unset: every kind.',
  format: 'string',
  default: null,
} as const;

export const schema = {
  views: {
    doc: 'What energy is attributed to; each view has its own metric: process, program, cgroup, unit, container, pod, namespace, job, user, service, vm.',
    format: 'string_list',
    default: ['process', 'program', 'unit', 'container', 'pod'],
  },
  custom_views: {
    doc: 'Additional views, each with its own metric.',
    format: 'list',
    items: {
      metric: { doc: 'Name of the metric, which must end in `.energy`.', format: 'string', default: null },
      group_by: {
        doc: 'Resource attributes that define a group. `a|b`: the first of them that a process has. Processes without the first entry are the group `none`.',
        format: 'string_list',
        default: [],
      },
      keep: {
        doc: 'Resource attributes that are published with a group if all its processes share their value. `k8s.pod.label.*`: all with this prefix.',
        format: 'string_list',
        default: [],
      },
    },
    default: [],
  },
  process_limit: {
    doc: 'Number of processes with series of their own at a time: those that used most. The energy of all others is one series, `other`. 0: every process.',
    format: 'int',
    default: 25,
    min: 0,
  },
  shown_pids: {
    doc: 'Processes that always have series of their own, besides the collector itself. For a replay, the collector that recorded: then it shows what the recorded one showed.',
    format: 'int_list',
    default: [],
  },
  group_limit: {
    doc: 'Number of groups with series of their own at a time in each other view: those that used most. The energy of all others is one series, `other`. 0: every group.',
    format: 'int',
    default: 50,
    min: 0,
  },
  process_metrics: {
    doc: 'Which `process.*` series of receivers are forwarded: those of processes with series of their own (`shown`), or `all`.',
    format: ['shown', 'all'],
    default: 'shown',
  },
  idle: {
    doc: 'Where idle energy goes: separate (a part of its own), proportional (to processes by CPU time), equal (to every process by lifetime).',
    format: ['separate', 'proportional', 'equal'],
    default: 'separate',
  },
  floor: {
    doc: 'Known power of a domain when nothing runs. The first entry that matches a domain applies.',
    format: 'list',
    items: {
      hw_type,
      hw_id: { doc: 'Domain that the entry matches. Unset: every domain.', format: 'string', default: null },
      power: { doc: 'Watts of each such domain.', format: 'number', default: null, min: 0 },
    },
    default: [],
  },
  weights: {
    doc: 'Hardware whose energy is shared by events of `perf`, of the machine and of processes. The first entry that matches a domain applies. Unset: by time.',
    format: 'list',
    items: {
      hw_type,
      counters: {
        doc: 'Names of events (`perf.event.name`). Several are weighed by what each costs, which is learned.',
        format: 'string_list',
        default: [],
      },
      max_error: {
        doc: 'Relative error of the energy that events explain up to which they are used. Above it, energy is shared by time.',
        format: 'number',
        default: 0.2,
        min: 0,
      },
    },
    default: [],
  },
  max_window: {
    doc: 'Maximum time between two readings of the usage or of a meter. Energy of a longer time stays unattributed, reason gap.',
    format: 'duration',
    default: '5m',
    min: 1000,
  },
  cpu_time_excludes: {
    doc: 'Kinds of hardware (`hw.type`) whose energy must not be divided by CPU time: without GPU time it stays unattributed, reason no_usage.',
    format: 'string_list',
    default: ['gpu', 'physical_disk', 'network'],
  },
  cpu_count: {
    doc: 'Logical CPUs of the measured machine, to tell quiet from busy. Unset: as `system.cpu.logical.count` reports, else those of this machine.',
    format: 'int',
    default: null,
    min: 1,
  },
  calibration_file: {
    doc: 'File that `joulemetry calibrate` wrote: losses and idle power of a remainder. Unset: a regression finds the losses.',
    format: 'path',
    default: null,
  },
  state_file: {
    doc: 'File that keeps learned floors across restarts. Unset: they are learned again.',
    format: 'path',
    default: null,
  },
  audit: {
    doc: 'A file with the complete sheet of every window, which `joulemetry audit` recomputes.',
    format: 'group',
    settings: {
      path: { doc: 'The file. It is continued where it exists.', format: 'path', default: null },
      max_megabytes: {
        doc: 'Size at which the file becomes a backup (`PATH.1`) and another one begins.',
        format: 'int',
        default: 100,
        min: 1,
      },
      max_backups: { doc: 'Number of backups that are kept.', format: 'int', default: 3, min: 0 },
    },
    default: null,
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;

/** Names of all events by which energy is shared, each once. */
export function listEvents({ weights }: Config): readonly string[] {
  return [...new Set(weights.flatMap(({ counters }) => counters))];
}
