import { pageSize } from '../../src/linux/libc.js';
import type { ProcessStat } from '../../src/linux/process-stat.js';
import {
  ATTR_CPU_MODE,
  ATTR_CPU_PACKAGE,
  ATTR_DISK_IO_DIRECTION,
  ATTR_SYSTEM_PAGING_FAULT_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import {
  processCpuTime,
  processMemoryUsage,
  processMemoryVirtual,
  processPackageTime,
} from '../../src/model/usage-metrics.js';
import { bounded, maxBytes, maxThreads } from '../../src/scraping/lines.js';
import type { Config } from './config.js';
import type { ProcessIo } from './process-io.js';
import type { ProcessMaps } from './process-maps.js';

/** Resident memory that is also mapped by other processes. */
export const processMemoryShared: Metric = {
  name: 'process.memory.linux.shared',
  unit: 'By',
  description: 'Resident memory that a process shares with others',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Proportional set size (PSS): its sum over all processes counts every page once. */
export const processMemoryProportional: Metric = {
  name: 'process.memory.linux.proportional',
  unit: 'By',
  description: 'Resident memory of a process, shared pages divided among the processes that share them',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Number of threads. */
export const processThreadCount: Metric = {
  name: 'process.thread.count',
  unit: '{thread}',
  description: 'Threads of a process',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Page faults, by `system.paging.fault.type` = minor or major. */
export const processPagingFaults: Metric = {
  name: 'process.paging.faults',
  unit: '{fault}',
  description: 'Page faults of a process',
  kind: 'counter',
  valueType: 'int',
};

/** Storage traffic, by `disk.io.direction` = read or write. */
export const processDiskIo: Metric = {
  name: 'process.disk.io',
  unit: 'By',
  description: 'Bytes that a process caused to be read from or written to storage',
  kind: 'counter',
  valueType: 'int',
};

/** The last values that were read of a process. */
export interface Readings {
  readonly stat: ProcessStat;
  readonly io: ProcessIo;
  /** Memory of the machine: the maximum for a process. */
  readonly memory: { readonly bytes: number };
}

/** One series of a process other than CPU time, and where its value is read. */
export interface Column {
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** @param maps undefined if the maps of the process may not be read */
  read(readings: Readings, maps: ProcessMaps | undefined): number;
}

/** The series of a kind of process, CPU time first. */
export interface Layout {
  /** Attributes of the series of CPU time: user and system, system only, or none. */
  readonly cpuModes: readonly Attributes[];
  /** Attributes of the series of CPU time by package, which follow; empty if CPU time is not divided by package. */
  readonly packages: readonly Attributes[];
  /** The number of series of CPU time, including those by package. */
  readonly times: number;
  readonly columns: readonly Column[];
  /** The number of series. */
  readonly width: number;
  readonly hasIo: boolean;
  readonly hasMaps: boolean;
  readonly isKernelThread: boolean;
  /** Whether a source of CPU time that knows memory and threads has all values, so that no file is needed. */
  readonly isOfSource: boolean;
}

/** Files of a process that not every user may read. */
export interface ReadableFiles {
  readonly io: boolean;
  readonly maps: boolean;
}

/** The layouts for given settings. */
export interface Layouts {
  /** Whether the settings require I/O, and shared memory, of any process. */
  readonly wanted: ReadableFiles;
  /** The layout of a process of which these files may be read: always the same object. */
  select(files: ReadableFiles): Layout;
  /** Kernel threads have no memory of their own, and all their CPU time is system time. */
  readonly kernelThread: Layout;
}

const user: Attributes = { [ATTR_CPU_MODE]: 'user' };
const system: Attributes = { [ATTR_CPU_MODE]: 'system' };

const memory: readonly Column[] = [
  {
    metric: processMemoryUsage,
    attributes: {},
    read: ({ stat, memory: { bytes } }) => bounded(stat.residentPages * pageSize, bytes),
  },
  {
    metric: processMemoryVirtual,
    attributes: {},
    read: ({ stat }) => bounded(stat.virtualBytes, maxBytes),
  },
];

const threads: readonly Column[] = [
  { metric: processThreadCount, attributes: {}, read: ({ stat }) => bounded(stat.threads, maxThreads) },
];

const faults: readonly Column[] = [
  {
    metric: processPagingFaults,
    attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'minor' },
    read: ({ stat }) => stat.minorFaults,
  },
  {
    metric: processPagingFaults,
    attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'major' },
    read: ({ stat }) => stat.majorFaults,
  },
];

const storage: readonly Column[] = [
  {
    metric: processDiskIo,
    attributes: { [ATTR_DISK_IO_DIRECTION]: 'read' },
    read: ({ io }) => io.readBytes,
  },
  {
    metric: processDiskIo,
    attributes: { [ATTR_DISK_IO_DIRECTION]: 'write' },
    read: ({ io }) => io.writtenBytes,
  },
];

const sharing: readonly Column[] = [
  {
    metric: processMemoryShared,
    attributes: {},
    read: ({ memory: { bytes } }, maps) => bounded(maps?.sharedBytes ?? NaN, bytes),
  },
  {
    metric: processMemoryProportional,
    attributes: {},
    read: ({ memory: { bytes } }, maps) => bounded(maps?.proportionalBytes ?? NaN, bytes),
  },
];

/**
 * Determines the series of processes.
 * @param numbers those of the packages by which CPU time is divided
 */
export function createLayouts(wanted: Config['metrics'], numbers: readonly number[] = []): Layouts {
  const cpuModes = wanted.cpu ? [user, system] : [];
  const packages = wanted.cpu ? numbers.map((number) => ({ [ATTR_CPU_PACKAGE]: number })) : [];
  const always = [
    ...(wanted.memory ? memory : []),
    ...(wanted.threads ? threads : []),
    ...(wanted.faults ? faults : []),
  ];
  const create = (hasMaps: boolean, hasIo: boolean): Layout => ({
    ...arrange({
      cpuModes,
      packages,
      columns: [...always, ...(hasMaps ? sharing : []), ...(hasIo ? storage : [])],
    }),
    hasIo,
    hasMaps,
    isKernelThread: false,
    isOfSource: !wanted.faults && !hasMaps && !hasIo,
  });
  const layouts = [
    create(false, false),
    create(false, true),
    create(true, false),
    create(true, true),
  ] as const;
  return {
    wanted: { io: wanted.io, maps: wanted.memory_maps },
    select: (files) => layouts[((files.maps ? 2 : 0) + (files.io ? 1 : 0)) as 0 | 1 | 2 | 3],
    kernelThread: {
      ...arrange({ cpuModes: wanted.cpu ? [system] : [], packages, columns: [] }),
      hasIo: false,
      hasMaps: false,
      isKernelThread: true,
      isOfSource: true,
    },
  };
}

function arrange(parts: Pick<Layout, 'cpuModes' | 'packages' | 'columns'>) {
  const times = parts.cpuModes.length + parts.packages.length;
  return { ...parts, times, width: times + parts.columns.length };
}

/** Creates the series of one process, in the order of its values. */
export function createSeries(layout: Layout, resource: Resource, start: bigint): Series[] {
  const create = (metric: Metric, attributes: Attributes): Series => {
    return { metric, resource, attributes, start };
  };
  const times = layout.cpuModes.map((attributes) => create(processCpuTime, attributes));
  // If an array is spread into another, V8 reserves room for 16 more elements.
  return times.concat(
    layout.packages.map((attributes) => create(processPackageTime, attributes)),
    layout.columns.map(({ metric, attributes }) => create(metric, attributes)),
  );
}
