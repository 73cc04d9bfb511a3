import type { ConfigOf, Schema } from '../../src/component/schema.js';
import { identitySettings } from '../../src/identity/process-identity.js';

export const schema = {
  events: {
    doc: 'Events to count, by the names of perf, libpfm4 or ALUMET: hardware, software and cache events, `rHEX`, `pmu/terms/`, `system:tracepoint`; with modifiers (`:u`). The events of `{a,b}` are counted at the same time.',
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
    doc: 'Names to publish in place of those in `events`: `{"cpu/event=0xc0/": retired}`.',
    format: 'string_map',
    default: {},
  },
  sampling_interval: {
    doc: 'Time between two readings of the counters, 20us or more.',
    format: 'duration',
    default: '1s',
    min: 0.02,
  },
  flush_interval: {
    doc: 'Time between two tables, which contain all readings since the previous one.',
    format: 'duration',
    default: '1s',
    min: 10,
  },
  machine: {
    doc: 'Whether to count the events of the whole machine, on every CPU.',
    format: 'boolean',
    default: true,
  },
  per_cpu: {
    doc: 'Whether counts of the machine and of cgroups are published for each CPU (`cpu.logical_number`) instead of as sums.',
    format: 'boolean',
    default: false,
  },
  per_pmu: {
    doc: 'Whether counts are published for each PMU (`perf.pmu`), such as a kind of cores or a memory controller, instead of as sums over the PMUs that count the same event.',
    format: 'boolean',
    default: false,
  },
  processes: {
    pids: { doc: 'Processes to count, by pid.', format: 'int_list', default: [] },
    names: {
      doc: 'Processes to count, by the name or full path of the executable. Processes that start later are included.',
      format: 'string_list',
      default: [],
    },
    ...identitySettings,
  },
  cgroups: {
    doc: 'Cgroups to count, each with all cgroups below it, by path: `/system.slice/*`. `*` stands for any name, `**` for any number of names.',
    format: 'string_list',
    default: [],
  },
  containers: { doc: 'Whether to count the cgroup of each container.', format: 'boolean', default: false },
  jobs: {
    doc: 'Whether to count the cgroup of each job of Slurm, OAR, PBS or Flux.',
    format: 'boolean',
    default: false,
  },
  max_cgroup_events: {
    doc: 'Maximum number of perf events that are opened for cgroups: events × CPUs × cgroups. Cgroups beyond it are not counted, which is logged.',
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
    doc: 'Whether to publish the share of time during which an event was counted, for each event that may share a counter with others.',
    format: 'boolean',
    default: true,
  },
  derived: {
    doc: 'Whether to publish instructions per cycle and miss ratios, for the events that are counted.',
    format: 'boolean',
    default: false,
  },
  derived_window: {
    doc: 'Time over which each ratio of `derived` is computed, rounded up to whole sampling intervals.',
    format: 'duration',
    default: '1s',
    min: 0.02,
  },
  sysfs: { doc: 'Where sysfs is mounted.', format: 'path', default: '/sys' },
  procfs: { doc: 'Where procfs is mounted.', format: 'path', default: '/proc' },
  cgroupfs: {
    doc: 'Root folder of the cgroups. Empty: where the hierarchy `perf_event` of version 1 is mounted, otherwise cgroup2.',
    format: 'string',
    default: '',
  },
} as const satisfies Schema;

export type Config = ConfigOf<typeof schema>;
