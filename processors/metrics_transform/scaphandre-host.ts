import { ATTR_SYSTEM_MEMORY_STATE, ATTR_SYSTEM_PAGING_STATE } from '../../src/model/semantic-conventions.js';
import { cpuFrequency, memoryLimit } from '../../src/model/usage-metrics.js';
import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

const noLabels = (): Labels => ({});

/** The series whose attribute has a value. */
function withValue(key: string, value: string): PresetRule['labels'] {
  return ({ own }: LabelSource) => (own[key] === value ? {} : undefined);
}

const loads = [
  ['one', '1m'],
  ['five', '5m'],
  ['fifteen', '15m'],
].map(([name, span]): PresetRule => ({
  from: `system.cpu.load_average.${span}`,
  name: `scaph_host_load_avg_${name}`,
  description: `Load average over ${span}`,
  isUnitNamed: true,
  labels: noLabels,
}));

const memory: readonly PresetRule[] = [
  {
    from: memoryLimit.name,
    name: 'scaph_host_memory_total_bytes',
    description: 'Memory of the machine',
    labels: noLabels,
  },
  {
    from: 'system.memory.linux.available',
    name: 'scaph_host_memory_available_bytes',
    description: 'Memory available to new programs without swapping',
    labels: noLabels,
  },
  {
    from: 'system.memory.usage',
    name: 'scaph_host_memory_free_bytes',
    description: 'Memory that is used for nothing',
    labels: withValue(ATTR_SYSTEM_MEMORY_STATE, 'free'),
  },
  {
    // The sum over its states.
    from: 'system.paging.usage',
    name: 'scaph_host_swap_total_bytes',
    description: 'Swap space of the machine',
    labels: noLabels,
  },
  {
    from: 'system.paging.usage',
    name: 'scaph_host_swap_free_bytes',
    description: 'Free swap space of the machine',
    labels: withValue(ATTR_SYSTEM_PAGING_STATE, 'free'),
  },
];

const threads = ['running', 'blocked'].map((state): PresetRule => ({
  from: 'system.linux.thread.count',
  name: `scaph_processes_${state}_current`,
  description: `Number of threads that are ${state}`,
  isUnitNamed: true,
  labels: withValue('system.linux.thread.state', state),
}));

/** Scaphandre's metrics of the load, the memory and the processes of the machine. */
export const scaphandreHost: readonly PresetRule[] = [
  ...loads,
  ...memory,
  ...threads,
  {
    from: cpuFrequency.name,
    name: 'scaph_host_cpu_frequency',
    description: 'Mean frequency of the CPUs, in MHz',
    unit: 'MHz',
    isUnitNamed: true,
    reduction: 'mean',
    labels: noLabels,
  },
  {
    from: 'system.context_switches',
    name: 'scaph_context_switches_total',
    description: 'Context switches since the start of the machine',
    isUnitNamed: true,
    labels: noLabels,
  },
  {
    from: 'system.process.created',
    name: 'scaph_forks_since_boot_total',
    description: 'Processes and threads created since the start of the machine',
    isUnitNamed: true,
    labels: noLabels,
  },
];
