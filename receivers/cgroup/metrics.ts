import type { Metric } from '../../src/model/series.js';
import { cgroupCpuTime, cgroupPackageTime } from '../../src/model/usage-metrics.js';
import type { Config } from './config.js';

type Shape = Omit<Metric, 'name'>;

const bytes = (description: string): Shape => ({
  unit: 'By',
  description,
  kind: 'updowncounter',
  valueType: 'int',
});

const memoryUsage = bytes('Memory that a cgroup uses, including its file cache');
const workingSet = bytes('Memory that a cgroup uses, without file cache that was not used recently');
const rss = bytes('Anonymous memory of a cgroup');
const faults: Shape = {
  unit: '{fault}',
  description: 'Page faults in a cgroup; major ones had to read from disk',
  kind: 'counter',
  valueType: 'int',
};
const diskIo: Shape = {
  unit: 'By',
  description: 'Bytes that a cgroup read from and wrote to a block device',
  kind: 'counter',
  valueType: 'int',
};

/** Metrics for which the semantic conventions have a name for containers. Other cgroups use a different name. */
export interface SharedNames {
  readonly memoryUsage: Metric;
  readonly workingSet: Metric;
  readonly rss: Metric;
  readonly faults: Metric;
  readonly diskIo: Metric;
}

const createNames = (prefix: string): SharedNames => ({
  memoryUsage: { name: `${prefix}.memory.usage`, ...memoryUsage },
  workingSet: { name: `${prefix}.memory.working_set`, ...workingSet },
  rss: { name: `${prefix}.memory.rss`, ...rss },
  faults: { name: `${prefix}.paging.faults`, ...faults },
  diskIo: { name: `${prefix}.disk.io`, ...diskIo },
});

export const containerNames = createNames('container');
export const cgroupNames = createNames('linux.cgroup');

/** The CPU time of a container, published in addition to `linux.cgroup.cpu.time`. */
export const containerCpuTime: Metric = { ...cgroupCpuTime, name: 'container.cpu.time' };

export const periods: Metric = {
  name: 'linux.cgroup.cpu.periods',
  unit: '{period}',
  description: 'Enforcement periods of the CPU quota in which a cgroup had work',
  kind: 'counter',
  valueType: 'int',
};
export const throttledPeriods: Metric = {
  name: 'linux.cgroup.cpu.throttled_periods',
  unit: '{period}',
  description: 'Periods in which a cgroup had to wait because its CPU quota was used up',
  kind: 'counter',
  valueType: 'int',
};
export const throttledTime: Metric = {
  name: 'linux.cgroup.cpu.throttled_time',
  unit: 's',
  description: 'Time for which the CPUs of a cgroup waited because its quota was used up, summed over CPUs',
  kind: 'counter',
  valueType: 'double',
};

export const memoryLimit: Metric = {
  name: 'linux.cgroup.memory.limit',
  ...bytes('Maximum memory of a cgroup; absent if it has no limit'),
};
export const memoryFile: Metric = {
  name: 'linux.cgroup.memory.file',
  ...bytes('File cache of a cgroup, including shared memory'),
};
export const swapUsage: Metric = {
  name: 'linux.cgroup.memory.swap',
  ...bytes('Swap space that a cgroup uses'),
};
export const swapLimit: Metric = {
  name: 'linux.cgroup.memory.swap_limit',
  ...bytes('Maximum swap space of a cgroup; absent if it has no limit'),
};
export const memoryEvents: Metric = {
  name: 'linux.cgroup.memory.events',
  unit: '{event}',
  description: 'How often memory ran out in a cgroup, and number of processes that were killed because of it',
  kind: 'counter',
  valueType: 'int',
};

export const memoryKind: Metric = {
  name: 'linux.cgroup.memory.kind.usage',
  ...bytes('Memory of a cgroup by kind, as the kernel names it; kinds overlap'),
};
export const swapOperations: Metric = {
  name: 'linux.cgroup.paging.operations',
  unit: '{operation}',
  description: 'Pages of a cgroup that were read from and written to swap space',
  kind: 'counter',
  valueType: 'int',
};

export const diskOperations: Metric = {
  name: 'linux.cgroup.disk.operations',
  unit: '{operation}',
  description: 'Reads and writes of a block device by a cgroup',
  kind: 'counter',
  valueType: 'int',
};

export const pidsUsage: Metric = {
  name: 'linux.cgroup.pids.usage',
  unit: '{thread}',
  description: 'Threads of a cgroup, including those of cgroups below it',
  kind: 'updowncounter',
  valueType: 'int',
};
export const pidsLimit: Metric = {
  name: 'linux.cgroup.pids.limit',
  unit: '{thread}',
  description: 'Maximum threads of a cgroup; absent if it has no limit',
  kind: 'updowncounter',
  valueType: 'int',
};

export const pressureTime: Metric = {
  name: 'linux.cgroup.pressure.time',
  unit: 's',
  description: 'Time during which some or all threads of a cgroup that had work waited for a resource',
  kind: 'counter',
  valueType: 'double',
};

/** The metrics of each group. */
export const metricsByGroup = {
  cpu: [cgroupCpuTime, containerCpuTime, cgroupPackageTime, periods, throttledPeriods, throttledTime],
  memory: [
    ...[containerNames, cgroupNames].flatMap((names) => [
      names.memoryUsage,
      names.workingSet,
      names.rss,
      names.faults,
    ]),
    memoryLimit,
    memoryFile,
    swapUsage,
    swapLimit,
    memoryEvents,
  ],
  memory_details: [memoryKind, swapOperations],
  io: [containerNames.diskIo, cgroupNames.diskIo, diskOperations],
  pids: [pidsUsage, pidsLimit],
  pressure: [pressureTime],
} as const satisfies Record<keyof Config['metrics'], readonly Metric[]>;
