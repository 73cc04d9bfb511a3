import type { Column, Layout } from './columns.js';

// The values of a process are one array: what its series say, in their order, and behind that, for each column that is
// not CPU time, what its counter had when the series began.

/** CPU time of a process, in nanoseconds. */
interface Times {
  readonly userNs: number;
  readonly systemNs: number;
  /** On each package, where those are told apart. */
  readonly packageNs: Float64Array | undefined;
}

/** Writes its CPU time. */
export function writeTimes(
  values: Float64Array,
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

/** Takes a reading of everything else. */
export function readColumns(
  values: Float64Array,
  { times, columns }: Layout,
  read: (column: Column) => number,
): void {
  const width = times + columns.length;
  for (let i = 0; i < columns.length; i++) values[times + i] = read(columns[i]) - values[width + i];
}

/** All counters are 0 now. */
export function restartCounters(values: Float64Array, { times, columns }: Layout): void {
  const width = times + columns.length;
  values.fill(0, 0, times);
  columns.forEach(({ metric }, index) => {
    if (metric.kind !== 'counter') return;
    const value = values[times + index];
    if (Number.isNaN(value)) return;
    values[width + index] += value;
    values[times + index] = 0;
  });
}

/** It has ended: only counters have a last value. */
export function dropGauges(values: Float64Array, { times, columns }: Layout): void {
  columns.forEach(({ metric }, index) => {
    if (metric.kind !== 'counter') values[times + index] = NaN;
  });
}
