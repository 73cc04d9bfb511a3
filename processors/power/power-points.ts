import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/** The power that one table of energy gave one gauge. */
export class PowerPoints {
  /** Nanoseconds, on the scale of whoever adds, ascending. */
  readonly times: number[] = [];
  /** NaN: no reading. */
  readonly watts: number[] = [];

  add(at: number, watts: number): void {
    this.times.push(at);
    this.watts.push(watts);
  }
}

/** A gauge, and an array with nothing else, the same in all its tables. */
export interface GaugePoints {
  readonly series: readonly Series[];
  readonly points: PowerPoints;
}

/**
 * One table where all gauges have power at the same instants, else one for each that has any: a cell without a value
 * would say that a reading failed.
 * @param series of all gauges, in their order
 * @param epochOf Unix time in nanoseconds of a time
 */
export function createPowerTables(
  series: readonly Series[],
  gauges: readonly GaugePoints[],
  epochOf: (at: number) => bigint,
): readonly Table[] {
  const [{ points: first }] = gauges;
  const areAlike = gauges.every(({ points }) => hasSameTimes(points, first));
  if (!areAlike) return gauges.flatMap((gauge) => createPowerTables(gauge.series, [gauge], epochOf));
  const { times } = first;
  if (times.length === 0) return [];
  const [from] = times;
  const values = times.flatMap((_, row) => gauges.map(({ points }) => points.watts[row]));
  const offsets = Float64Array.from(times, (at) => at - from);
  return [{ series, epoch: epochOf(from), offsets, values: Float64Array.from(values) }];
}

function hasSameTimes({ times }: PowerPoints, { times: others }: PowerPoints): boolean {
  return times.length === others.length && times.every((at, i) => at === others[i]);
}
