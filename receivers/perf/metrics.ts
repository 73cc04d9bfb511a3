import type { EventUnit } from '../../src/linux/perf/counted-event.js';
import type { RatioKind } from '../../src/linux/perf/ratios.js';
import type { Attributes, Metric, Resource, Series } from '../../src/model/series.js';
import { eventCount, eventTime } from '../../src/model/usage-metrics.js';
import type { Gap } from '../../src/sampling/gaps.js';

/** Events of PMUs that count joules. */
const eventEnergy: Metric = {
  name: 'perf.event.energy',
  unit: 'J',
  description: 'Energy that an event measured; sums over different events are meaningless',
  kind: 'counter',
  valueType: 'double',
};

/** Events of memory and I/O controllers. */
const eventIo: Metric = {
  name: 'perf.event.io',
  unit: 'By',
  description: 'Bytes whose transfer an event measured; sums over different events are meaningless',
  kind: 'counter',
  valueType: 'double',
};

/** 1 if an event is never multiplexed. */
export const runningRatio: Metric = {
  name: 'perf.event.running_ratio',
  unit: '1',
  description: 'Share of the time during which an event was counted; for the rest its count is extrapolated',
  kind: 'gauge',
  valueType: 'double',
};

/** IPC. */
const instructionsPerCycle: Metric = {
  name: 'perf.instructions_per_cycle',
  unit: '{instruction}/{cycle}',
  description: 'Instructions per cycle in the last derived_window',
  kind: 'gauge',
  valueType: 'double',
};

/** cache-misses over cache-references, and the misses of each cache over its accesses. */
const cacheMissRatio: Metric = {
  name: 'perf.cache.miss_ratio',
  unit: '1',
  description: 'Misses per access of a cache in the last derived_window',
  kind: 'gauge',
  valueType: 'double',
};

/** branch-misses over branches. */
const branchMissRatio: Metric = {
  name: 'perf.branch.miss_ratio',
  unit: '1',
  description: 'Mispredicted branches per branch in the last derived_window',
  kind: 'gauge',
  valueType: 'double',
};

/** Every metric of this receiver. */
export const metrics: readonly Metric[] = [
  eventCount,
  eventTime,
  eventEnergy,
  eventIo,
  runningRatio,
  instructionsPerCycle,
  cacheMissRatio,
  branchMissRatio,
];

/** The counter of each unit. */
export const counters: Readonly<Record<EventUnit, Metric>> = {
  '{event}': eventCount,
  s: eventTime,
  J: eventEnergy,
  By: eventIo,
};

/** The gauge of each ratio. */
export const ratios: Readonly<Record<RatioKind, Metric>> = {
  instructions_per_cycle: instructionsPerCycle,
  cache_miss_ratio: cacheMissRatio,
  branch_miss_ratio: branchMissRatio,
};

/** A column of a sampler. Plain data. */
export interface Column {
  readonly metricName: string;
  readonly attributes: Attributes;
}

/** A sampler's description of its columns. Plain data. */
export interface Columns {
  readonly columns: readonly Column[];
  /** Notes for the user: which events are not counted, and why. */
  readonly notes: readonly string[];
  /** Why counters cannot be read: `EISDIR`. Undefined if all can be. */
  readonly error?: string | undefined;
}

/** Describes a counter without readings. @param error why counters cannot be read, if an error is known */
export function describeGap({ metric, attributes }: Series, error: string | undefined): Gap {
  const values = Object.values(attributes).join(' ');
  return { what: `${metric.name} ${values}`, reason: error ?? 'no counter of the CPU was free for it' };
}

const byName = new Map(metrics.map((metric) => [metric.name, metric]));

/** The series of a sampler's columns, in order. */
export function createSeries({ columns }: Columns, resource: Resource, start: bigint): readonly Series[] {
  return columns.map(({ metricName, attributes }) => ({
    // A sampler uses only these names.
    metric: byName.get(metricName) ?? eventCount,
    resource,
    attributes,
    start,
  }));
}
