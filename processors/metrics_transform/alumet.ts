import {
  clockFrequency,
  contextCount,
  gpuPower,
  memoryLimit,
  memoryReserved,
  memoryUsage,
  processMemory,
  processUtilization,
  utilization,
} from '../../src/gpu/metrics.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { processEnergy } from '../../src/model/ledger-metrics.js';
import {
  ATTR_CPU_MODE,
  ATTR_HW_GPU_CLOCK_DOMAIN,
  ATTR_HW_GPU_TASK,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
  ATTR_PROCESS_PID,
  ATTR_RAPL_DOMAIN,
} from '../../src/model/semantic-conventions.js';
import type { Metric } from '../../src/model/series.js';
import { hwEnergy, hwTemperature } from '../../src/model/shared-metrics.js';
import {
  cpuTime,
  processCpuTime,
  processMemoryUsage,
  processMemoryVirtual,
} from '../../src/model/usage-metrics.js';
import { alumetCgroups } from './alumet-cgroups.js';
import { alumetHost } from './alumet-host.js';
import { cpuTimeDescription, labelsOf, memoryDescription, sinceLast } from './alumet-labels.js';
import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

// Names, units and labels of ALUMET 0.9 (github.com/alumet-dev/alumet, the plugins rapl, nvml and procfs).

function ofProcess({ resource }: LabelSource, others: Labels = {}): Labels | undefined {
  const pid = resource[ATTR_PROCESS_PID];
  return pid === undefined
    ? undefined
    : {
        ...labelsOf(['local_machine', ''], others),
        resource_consumer_kind: 'process',
        resource_consumer_id: String(pid),
      };
}

/** The number at the end of `package-0` or `dram-0`. */
function numberOf({ own }: LabelSource): string | undefined {
  return /(\d+)$/u.exec(String(own[ATTR_HW_ID]))?.[1];
}

const raplLabels: PresetRule['labels'] = (source) => {
  const type = source.own[ATTR_HW_TYPE];
  if (type === 'cpu') return labelsOf(['cpu_package', numberOf(source)], { domain: 'package' });
  return type === 'memory' ? labelsOf(['dram', numberOf(source)], { domain: 'dram' }) : undefined;
};

/** ALUMET's names of overlapping domains. */
const domains: Readonly<Record<string, string>> = { core: 'pp0', uncore: 'pp1', psys: 'platform' };

const ofGpu: PresetRule['labels'] = ({ own }) =>
  own[ATTR_HW_TYPE] === 'gpu' ? labelsOf(['gpu', own[ATTR_HW_ID]]) : undefined;

/** The series of GPUs whose attribute has a value. */
function gpuWith(key: string, value: string, what: Omit<PresetRule, 'labels'>): PresetRule {
  return {
    ...what,
    labels: ({ own }) => (own[key] === value ? labelsOf(['gpu', own[ATTR_HW_ID]]) : undefined),
  };
}

function gpuTask(task: string, name: string, description: string): PresetRule {
  return gpuWith(ATTR_HW_GPU_TASK, task, { from: utilization.name, name, description, unit: '%' });
}

function gpuProcesses(type: string, name: string): PresetRule {
  const description = 'Processes with a context on a GPU';
  return gpuWith('hw.gpu.process.type', type, { from: contextCount.name, name, description });
}

function gpuMemory({ name: from }: Metric, kind: string): PresetRule {
  return {
    from,
    name: 'nvml_gpu_memory_info',
    description: 'Memory of a GPU',
    labels: ({ own }) => labelsOf(['gpu', own[ATTR_HW_ID]], { kind }),
  };
}

const clocks: Readonly<Record<string, string>> = {
  graphics: 'Graphics',
  sm: 'SM',
  memory: 'Memory',
  video: 'Video',
};

function ofProcessOnGpu(source: LabelSource, others: Labels = {}): Labels | undefined {
  const labels = ofProcess(source, others);
  return labels && { ...labels, resource_kind: 'gpu', resource_id: String(source.own[ATTR_HW_ID] ?? '') };
}

const processTasks = [
  ['general', 'nvml_sm_utilization'],
  ['memory', 'nvml_memory_utilization'],
  ['encoder', 'nvml_encoder_utilization'],
  ['decoder', 'nvml_decoder_utilization'],
].map(([task, name = '']): PresetRule => ({
  from: processUtilization.name,
  name,
  description: 'Share of time during which a process kept a part of a GPU busy',
  unit: '%',
  labels: (source) => (source.own[ATTR_HW_GPU_TASK] === task ? ofProcessOnGpu(source) : undefined),
}));

export const alumet: readonly PresetRule[] = [
  {
    from: hwEnergy.name,
    name: 'rapl_consumed_energy',
    description: `Energy of a domain ${sinceLast}`,
    isGrowth: true,
    labels: raplLabels,
  },
  {
    from: raplEnergy.name,
    name: 'rapl_consumed_energy',
    description: `Energy of a domain ${sinceLast}`,
    isGrowth: true,
    labels: (source) =>
      labelsOf(['cpu_package', numberOf(source)], {
        domain: domains[String(source.own[ATTR_RAPL_DOMAIN])] ?? source.own[ATTR_RAPL_DOMAIN],
      }),
  },
  {
    from: hwEnergy.name,
    name: 'nvml_energy_consumption',
    description: `Energy of a GPU ${sinceLast}`,
    unit: 'mJ',
    isGrowth: true,
    labels: ofGpu,
  },
  {
    from: gpuPower.name,
    name: 'nvml_instant_power',
    description: 'Power of a GPU',
    unit: 'mW',
    labels: ({ own }) => labelsOf(['gpu', own[ATTR_HW_ID]]),
  },
  {
    from: hwTemperature.name,
    name: 'nvml_temperature_gpu',
    description: 'Temperature of a GPU',
    labels: ofGpu,
  },
  gpuTask('general', 'nvml_gpu_utilization', 'Share of time during which a GPU was busy'),
  gpuTask('memory', 'nvml_memory_utilization', 'Share of time during which the memory of a GPU was busy'),
  gpuTask('encoder', 'nvml_encoder_utilization', 'Share of time during which the encoder was busy'),
  gpuTask('decoder', 'nvml_decoder_utilization', 'Share of time during which the decoder was busy'),
  gpuMemory(memoryUsage, 'used'),
  gpuMemory(memoryLimit, 'total'),
  gpuMemory(memoryReserved, 'reserved'),
  {
    from: clockFrequency.name,
    name: 'nvml_clock_info',
    description: 'Clock frequency of a part of a GPU',
    labels: ({ own }) =>
      labelsOf(['gpu', own[ATTR_HW_ID]], { clock_type: clocks[String(own[ATTR_HW_GPU_CLOCK_DOMAIN])] }),
  },
  gpuProcesses('compute', 'nvml_n_compute_processes'),
  gpuProcesses('graphics', 'nvml_n_graphic_processes'),
  ...processTasks,
  {
    from: processMemory.name,
    name: 'nvml_used_gpu_memory',
    description: 'Memory of a GPU that a process has allocated',
    labels: (source) => ofProcessOnGpu(source, { context: source.own['hw.gpu.context'] }),
  },
  {
    from: processEnergy.name,
    name: 'attributed_energy',
    description: `Energy attributed to a process ${sinceLast}. In ALUMET, by the formula that the user writes`,
    isGrowth: true,
    labels: (source) => ofProcess(source, { domain: source.own[ATTR_HW_TYPE] }),
  },
  {
    from: processCpuTime.name,
    name: 'cpu_time_delta',
    description: cpuTimeDescription,
    unit: 'ns',
    isGrowth: true,
    labels: (source) => ofProcess(source, { kind: source.own[ATTR_CPU_MODE] }),
  },
  {
    from: processMemoryUsage.name,
    name: 'memory_usage',
    description: memoryDescription,
    labels: (source) => ofProcess(source, { kind: 'resident' }),
  },
  ...(
    [
      [processMemoryVirtual.name, 'virtual'],
      ['process.memory.linux.shared', 'shared'],
      ['process.memory.linux.proportional', 'proportional'],
    ] as const
  ).map(([from, kind]): PresetRule => ({
    from,
    name: 'memory_usage',
    description: memoryDescription,
    labels: (source) => ofProcess(source, { kind }),
  })),
  {
    // A formula can publish it: the rate of CPU time by the number of CPUs.
    from: 'process.cpu.utilization',
    name: 'cpu_percent',
    description: 'CPU time of a process in percent of that of all CPUs',
    unit: '%',
    labels: (source) => ofProcess(source, { kind: source.own[ATTR_CPU_MODE] ?? 'total' }),
  },
  {
    from: cpuTime.name,
    name: 'kernel_cpu_time',
    description: `CPU time of the machine ${sinceLast}`,
    unit: 'ms',
    isGrowth: true,
    labels: ({ own }) => labelsOf(['local_machine', ''], { cpu_state: own[ATTR_CPU_MODE] }),
  },
  ...alumetCgroups,
  ...alumetHost,
];
