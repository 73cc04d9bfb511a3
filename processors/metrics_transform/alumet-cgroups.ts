import {
  ATTR_CPU_MODE,
  ATTR_LINUX_CGROUP_PATH,
  ATTR_SYSTEM_PAGING_DIRECTION,
} from '../../src/model/semantic-conventions.js';
import { cgroupCpuTime } from '../../src/model/usage-metrics.js';
import { cpuTimeDescription, memoryDescription, ofMachine, sinceLast } from './alumet-labels.js';
import type { Labels, LabelSource, PresetRule } from './preset-rule.js';

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

function cgroupPaging(direction: string, name: string): PresetRule {
  return {
    from: 'linux.cgroup.paging.operations',
    name,
    description: `Pages that a cgroup moved ${direction === 'in' ? 'from' : 'to'} swap space`,
    hasNoTotal: true,
    labels: (source) =>
      source.own[ATTR_SYSTEM_PAGING_DIRECTION] === direction ? ofCgroup(source) : undefined,
  };
}

function cgroupStalls(type: string): PresetRule {
  return {
    from: 'linux.cgroup.pressure.time',
    name: `io_pressure_${type}_total`,
    description: `Time during which ${type} tasks of a cgroup waited for I/O, ${sinceLast}`,
    unit: 'us',
    isGrowth: true,
    labels: (source) => (isStall(source, type) ? ofCgroup(source) : undefined),
  };
}

function isStall({ own }: LabelSource, type: string): boolean {
  return own['system.linux.pressure.resource'] === 'io' && own['system.linux.pressure.stall_type'] === type;
}

/** ALUMET's metrics of cgroups. */
export const alumetCgroups: readonly PresetRule[] = [
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
  cgroupMemory('linux.cgroup.memory.limit', 'memory_max'),
  cgroupMemory('linux.cgroup.memory.swap_limit', 'cgroup_memory_swap_max'),
  cgroupPaging('in', 'cgroup_pswpin'),
  cgroupPaging('out', 'cgroup_pswpout'),
  cgroupStalls('some'),
  cgroupStalls('full'),
];
