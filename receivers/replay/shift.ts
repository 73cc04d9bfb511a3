import { createPlans } from '../../src/model/plan.js';
import type { Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';

/** Moves tables and the beginnings of their series by so many nanoseconds. */
export function createShift(byNs: bigint): (table: Table) => Table {
  const shiftOne = createPlans((series: Series): Series => ({
    ...series,
    // 0: the file does not say it.
    start: series.start === 0n ? 0n : series.start + byNs,
  }));
  const shiftAll = createPlans((series: readonly Series[]): readonly Series[] => series.map(shiftOne));
  return ({ series, epoch, offsets, values, ended }) => ({
    series: shiftAll(series),
    epoch: epoch + byNs,
    offsets,
    values,
    ...(ended && { ended: ended.map(shiftOne) }),
  });
}
