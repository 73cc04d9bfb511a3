import {
  clockFrequency,
  gpuPower,
  memoryLimit,
  memoryReserved,
  memoryUsage,
  utilization,
} from '../../src/gpu/metrics.js';
import { raplEnergy } from '../../src/model/energy-domain.js';
import { processEnergy } from '../../src/model/ledger-metrics.js';
import {
  ATTR_CPU_MODE,
  ATTR_HW_ID,
  ATTR_HW_TYPE,
  ATTR_LINUX_CGROUP_PATH,
  ATTR_PROCESS_PID,
  ATTR_RAPL_DOMAIN,
} from '../../src/model/semantic-conventions.js';
import type { AttributeValue, Metric } from '../../src/model/series.js';
import { hwEnergy, hwTemperature } from '../../src/model/shared-metrics.js';
import {
  cgroupCpuTime,
  cpuTime,
  processCpuTime,
  processMemoryUsage,
  processMemoryVirtual,
} from '../../src/model/usage-metrics.js';
import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

// Names, units and labels of ALUMET 0.9 (github.com/alumet-dev/alumet, the plugins rapl, nvml and procfs).

/** The four labels of every point of ALUMET, and further ones. */
function labelsOf(
  resource: readonly [kind: string, id: AttributeValue | undefined],
  others: Labels = {},
): Labels {
  const [kind, id] = resource;
  return {
    resource_kind: kind,
    resource_id: id === undefined ? '' : String(id),
    resource_consumer_kind: 'local_machine',
    resource_consumer_id: '',
    ...others,
  };
}

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

const sinceLast = 'since the point before, as in ALUMET; a point that is lost is lost';
/** Of metrics that processes and cgroups share. */
const cpuTimeDescription = `CPU time of a process, or of a cgroup with those below it, ${sinceLast}`;
const memoryDescription = 'Memory of a process or a cgroup';

/** The series of GPUs whose attribute has a value. */
function gpuWith(key: string, value: string, what: Omit<PresetRule, 'labels'>): PresetRule {
  return {
    ...what,
    labels: ({ own }) => (own[key] === value ? labelsOf(['gpu', own[ATTR_HW_ID]]) : undefined),
  };
}

function gpuTask(task: string, name: string, description: string): PresetRule {
  return gpuWith('hw.gpu.task', task, { from: utilization.name, name, description, unit: '%' });
}

function gpuProcesses(type: string, name: string): PresetRule {
  const description = 'Processes with a context on a GPU';
  return gpuWith('hw.gpu.process.type', type, { from: 'hw.gpu.process.count', name, description });
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

const ofMachine = labelsOf(['local_machine', '']);

/** The memory of the machine, by the keys of /proc/meminfo. */
function machineMemory(from: string, name: string, key?: string, value?: string): PresetRule {
  return {
    from,
    name,
    description: 'Memory of the machine, as in /proc/meminfo',
    labels: ({ own }) => (key === undefined || own[key] === value ? ofMachine : undefined),
  };
}

const memoryKind = 'system.memory.linux.kind';

/** ALUMET's direction of a packet. */
const directions: Readonly<Record<string, string>> = { receive: 'rx', transmit: 'tx' };

function networkOf(from: string, name: string): PresetRule {
  return {
    from,
    name,
    description: `Traffic of a network interface ${sinceLast}`,
    isGrowth: true,
    labels: ({ own }) =>
      labelsOf(['local_machine', ''], {
        interface: own['network.interface.name'] ?? own['system.device'],
        direction: directions[String(own['network.io.direction'])],
      }),
  };
}

function ofCgroup({ resource }: LabelSource, others: Labels = {}): Labels | undefined {
  const path = resource[ATTR_LINUX_CGROUP_PATH];
  return path === undefined
    ? undefined
    : { ...ofMachine, ...others, resource_consumer_kind: 'cgroup', resource_consumer_id: String(path) };
}

function cgroupMemory(from: string, name: string, kind?: string): PresetRule {
  return {
    from,
    name,
    description: memoryDescription,
    labels: (source) =>
      kind === undefined || source.own['linux.cgroup.memory.kind'] === kind ? ofCgroup(source) : undefined,
  };
}

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
      labelsOf(['gpu', own[ATTR_HW_ID]], { clock_type: clocks[String(own['hw.gpu.clock.domain'])] }),
  },
  gpuProcesses('compute', 'nvml_n_compute_processes'),
  gpuProcesses('graphics', 'nvml_n_graphic_processes'),
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
    from: cgroupCpuTime.name,
    name: 'cpu_time_delta',
    description: cpuTimeDescription,
    unit: 'ns',
    isGrowth: true,
    labels: (source) => ofCgroup(source, { kind: source.own[ATTR_CPU_MODE] }),
  },
  cgroupMemory('linux.cgroup.memory.usage', 'memory_usage'),
  cgroupMemory('linux.cgroup.memory.rss', 'cgroup_memory_anonymous'),
  cgroupMemory('linux.cgroup.memory.file', 'cgroup_memory_file'),
  cgroupMemory('linux.cgroup.memory.swap', 'cgroup_memory_swap_current'),
  cgroupMemory('linux.cgroup.memory.kind.usage', 'cgroup_memory_kernel_stack', 'kernel_stack'),
  cgroupMemory('linux.cgroup.memory.kind.usage', 'cgroup_memory_pagetables', 'pagetables'),
  cgroupMemory('linux.cgroup.memory.kind.usage', 'cgroup_slab_reclaimable', 'slab_reclaimable'),
  {
    from: cpuTime.name,
    name: 'kernel_cpu_time',
    description: `CPU time of the machine ${sinceLast}`,
    unit: 'ms',
    isGrowth: true,
    labels: ({ own }) => labelsOf(['local_machine', ''], { cpu_state: own[ATTR_CPU_MODE] }),
  },
  {
    from: 'system.context_switches',
    name: 'kernel_context_switches',
    description: `Context switches ${sinceLast}`,
    isGrowth: true,
    labels: () => ofMachine,
  },
  {
    from: 'system.process.created',
    name: 'kernel_new_forks',
    description: `Processes and threads that were created ${sinceLast}`,
    isGrowth: true,
    labels: () => ofMachine,
  },
  machineMemory('system.memory.limit', 'mem_total'),
  machineMemory('system.memory.linux.available', 'mem_available'),
  machineMemory('system.memory.usage', 'mem_free', 'system.memory.state', 'free'),
  machineMemory('system.memory.usage', 'cached', 'system.memory.state', 'cached'),
  machineMemory('system.memory.linux.kind.usage', 'active', memoryKind, 'active'),
  machineMemory('system.memory.linux.kind.usage', 'inactive', memoryKind, 'inactive'),
  machineMemory('system.memory.linux.kind.usage', 'mapped', memoryKind, 'mapped'),
  machineMemory('system.memory.linux.kind.usage', 'swap_cached', memoryKind, 'swap_cached'),
  networkOf('system.network.io', 'network_bytes'),
  networkOf('system.network.packet.count', 'network_packets'),
  networkOf('system.network.packet.dropped', 'network_packet_drops'),
  networkOf('system.network.errors', 'network_errors'),
];
