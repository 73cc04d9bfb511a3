import type { Metric } from '../../src/model/series.js';

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
