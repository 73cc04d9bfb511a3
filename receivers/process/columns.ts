import { pageSize } from '../../src/linux/libc.js';
import type { ProcessStat } from '../../src/linux/process-stat.js';
import {
  ATTR_CPU_MODE,
  ATTR_DISK_IO_DIRECTION,
  ATTR_SYSTEM_PAGING_FAULT_TYPE,
} from '../../src/model/semantic-conventions.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { processCpuTime } from '../../src/model/shared-metrics.js';
import { bounded, maxBytes, maxThreads } from '../../src/scraping/lines.js';
import type { Config } from './config.js';
import type { ProcessIo } from './process-io.js';

/** Resident set size. */
export const processMemoryUsage: Metric = {
  name: 'process.memory.usage',
  unit: 'By',
  description: 'Physical memory that a process has resident',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Virtual memory size. */
export const processMemoryVirtual: Metric = {
  name: 'process.memory.virtual',
  unit: 'By',
  description: 'Virtual memory that a process has committed',
  kind: 'updowncounter',
  valueType: 'int',
};

/** Threads. */
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
  description: 'Page faults that a process made',
  kind: 'counter',
  valueType: 'int',
};

/** Storage traffic, by `disk.io.direction` = read or write. */
export const processDiskIo: Metric = {
  name: 'process.disk.io',
  unit: 'By',
  description: 'Bytes that a process made the storage move',
  kind: 'counter',
  valueType: 'int',
};

/** One series of a process that is not CPU time, and where its number stands. */
export interface Column {
  readonly metric: Metric;
  readonly attributes: Attributes;
  /** @param memoryBytes what the machine has: no process uses more of it */
  read(stat: ProcessStat, io: ProcessIo, memoryBytes: number): number;
}

/** The series that a kind of process has, CPU time first. */
export interface Layout {
  /** Attributes of the CPU time's series: user and system, system alone, or none. */
  readonly cpuModes: readonly Attributes[];
  readonly columns: readonly Column[];
  readonly hasIo: boolean;
}

/** The layouts that the settings make. */
export interface Layouts {
  readonly full: Layout;
  /** For processes whose I/O may not be read. */
  readonly withoutIo: Layout;
  /** Kernel threads have no memory of their own, and all their CPU time is the system's. */
  readonly kernelThread: Layout;
}

const user: Attributes = { [ATTR_CPU_MODE]: 'user' };
const system: Attributes = { [ATTR_CPU_MODE]: 'system' };

const memory: readonly Column[] = [
  {
    metric: processMemoryUsage,
    attributes: {},
    read: (stat, _, memoryBytes) => bounded(stat.residentPages * pageSize, memoryBytes),
  },
  {
    metric: processMemoryVirtual,
    attributes: {},
    read: (stat) => bounded(stat.virtualBytes, maxBytes),
  },
];

const threads: readonly Column[] = [
  { metric: processThreadCount, attributes: {}, read: (stat) => bounded(stat.threads, maxThreads) },
];

const faults: readonly Column[] = [
  {
    metric: processPagingFaults,
    attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'minor' },
    read: (stat) => stat.minorFaults,
  },
  {
    metric: processPagingFaults,
    attributes: { [ATTR_SYSTEM_PAGING_FAULT_TYPE]: 'major' },
    read: (stat) => stat.majorFaults,
  },
];

const storage: readonly Column[] = [
  {
    metric: processDiskIo,
    attributes: { [ATTR_DISK_IO_DIRECTION]: 'read' },
    read: (_, io) => io.readBytes,
  },
  {
    metric: processDiskIo,
    attributes: { [ATTR_DISK_IO_DIRECTION]: 'write' },
    read: (_, io) => io.writtenBytes,
  },
];

/** Works out which series processes have. */
export function createLayouts(wanted: Config['metrics']): Layouts {
  const cpuModes = wanted.cpu ? [user, system] : [];
  const columns = [
    ...(wanted.memory ? memory : []),
    ...(wanted.threads ? threads : []),
    ...(wanted.faults ? faults : []),
  ];
  const withoutIo = { cpuModes, columns, hasIo: false };
  return {
    full: wanted.io ? { cpuModes, columns: [...columns, ...storage], hasIo: true } : withoutIo,
    withoutIo,
    kernelThread: { cpuModes: wanted.cpu ? [system] : [], columns: [], hasIo: false },
  };
}

/** Makes the series of one process, in the order of its values. */
export function createSeries(layout: Layout, resource: Resource, start: bigint): Series[] {
  return [
    ...layout.cpuModes.map((attributes) => ({ metric: processCpuTime, resource, attributes, start })),
    ...layout.columns.map(({ metric, attributes }) => ({ metric, resource, attributes, start })),
  ];
}
