import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { identitySettings } from '../../src/identity/process-identity.js';

export const schema = {
  events: {
    doc: "Events by perf's names or ALUMET's: hardware, software, caches, rHEX, pmu/terms/, system:tracepoint, libpfm4; with modifiers (:u); {a,b} are counted together.",
    format: 'string_list',
    default: [
      'context-switches',
      'cpu-migrations',
      'page-faults',
      'cycles',
      'instructions',
      'branches',
      'branch-misses',
    ],
  },
  rename: {
    doc: 'Other names for events, by their text: {"cpu/event=0xc0/": retired}.',
    format: 'string_map',
    default: {},
  },
  sampling_interval: {
    doc: 'Time between two readings, 20us or more.',
    format: 'duration',
    default: '1s',
    min: 0.02,
  },
  flush_interval: {
    doc: 'Time between two deliveries of what was read.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  machine: { doc: 'Counts what every CPU does.', format: 'boolean', default: true },
  per_cpu: {
    doc: 'Keeps the CPUs of the machine and of cgroups apart (cpu.logical_number) rather than summing them.',
    format: 'boolean',
    default: false,
  },
  per_pmu: {
    doc: 'Keeps PMUs that count the same event apart (perf.pmu): kinds of cores, memory controllers.',
    format: 'boolean',
    default: false,
  },
  processes: {
    pids: { doc: 'Processes to count, by number.', format: 'int_list', default: [] },
    names: {
      doc: 'Processes to count, by the name or the full path of the executable, including those that start later.',
      format: 'string_list',
      default: [],
    },
    ...identitySettings,
  },
  cgroups: {
    doc: 'Cgroups to count with all below them, by path from the root; * is any name, ** any number of names.',
    format: 'string_list',
    default: [],
  },
  containers: { doc: 'Counts each container as a cgroup.', format: 'boolean', default: false },
  jobs: {
    doc: 'Counts each job of Slurm, OAR, PBS or Flux as a cgroup.',
    format: 'boolean',
    default: false,
  },
  max_cgroup_events: {
    doc: 'Maximum number of perf events that are opened for cgroups: events x CPUs x cgroups.',
    format: 'int',
    default: 20_000,
    min: 1,
  },
  scan_interval: {
    doc: 'Time between two checks for processes and cgroups that have appeared or disappeared.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  running_ratio: {
    doc: 'Publishes the share of time during which an event was counted, for each event that may share a counter with others.',
    format: 'boolean',
    default: true,
  },
  derived: {
    doc: 'Adds instructions per cycle and miss ratios of the counted events.',
    format: 'boolean',
    default: false,
  },
  derived_window: {
    doc: 'Time over which each of them is computed, rounded up to whole sampling intervals.',
    format: 'duration',
    default: '1s',
    min: 0.02,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
  cgroupfs: {
    doc: 'Root of the cgroups; empty: that of cgroup2, or of the perf_event hierarchy of version 1.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
