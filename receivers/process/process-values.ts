import { CpuUsage, cpuUsageNumbers } from '../../src/linux/cpu-usage.js';
import type { Column, Layout } from './columns.js';

// The values of a process are one array: those of its series, in their order, followed by the value that each
// counter other than CPU time had when the series started, and by the numbers of its `CpuUsage`.

/** CPU time of a process, in nanoseconds. */
interface Times {
  readonly userNs: number;
  readonly systemNs: number;
  /** On each package, if CPU time is divided by package. */
  readonly packageNs: Float64Array | undefined;
}

const usage = new CpuUsage();

/** The values of a new process. */
export function createValues(layout: Layout): number[] {
  const { width, columns } = layout;
  const values = Array.from({ length: width + columns.length + cpuUsageNumbers }, () => 0);
  cpuOf(values, layout).begin();
  return values;
}

/** The CPU time of a process, until that of another one is asked for: an object for each would take 48 bytes. */
export function cpuOf(values: number[], { width, columns }: Layout): CpuUsage {
  return usage.moveTo(values, width + columns.length);
}

/** Writes the CPU time of a process. */
export function writeTimes(
  values: number[],
  { cpuModes }: Layout,
  { userNs, systemNs, packageNs }: Times,
): void {
  if (cpuModes.length === 1) {
    values[0] = (userNs + systemNs) / 1e9;
  } else if (cpuModes.length === 2) {
    values[0] = userNs / 1e9;
    values[1] = systemNs / 1e9;
  }
  if (packageNs === undefined) return;
  for (let i = 0; i < packageNs.length; i++) values[cpuModes.length + i] = packageNs[i] / 1e9;
}

/** Reads everything except CPU time. @returns whether any value has changed */
export function readColumns(
  values: number[],
  { times, width, columns }: Layout,
  read: (column: Column) => number,
): boolean {
  let isChanged = false;
  for (let i = 0; i < columns.length; i++) {
    const value = read(columns[i]) - values[width + i];
    if (!Object.is(value, values[times + i])) isChanged = true;
    values[times + i] = value;
  }
  return isChanged;
}

/** Resets all counters to 0. */
export function restartCounts(values: number[], { times, width, columns }: Layout): void {
  values.fill(0, 0, times);
  columns.forEach(({ metric }, index) => {
    if (metric.kind !== 'counter') return;
    const value = values[times + index];
    if (Number.isNaN(value)) return;
    values[width + index] += value;
    values[times + index] = 0;
  });
}

/** Discards gauges: a process that has ended has last values only for counters. */
export function dropGauges(values: number[], { times, columns }: Layout): void {
  columns.forEach(({ metric }, index) => {
    if (metric.kind !== 'counter') values[times + index] = NaN;
  });
}
