import { findOrAdd } from '../../src/model/plan.js';
import { createRow, type Table } from '../../src/model/table.js';
import type { Column, Page } from './column.js';

/** As Prometheus: what is further in the future comes from a wrong clock. */
const maxFutureMs = 600_000;

/** The instant that a page gives for the value of a slot, in Unix milliseconds; NaN: none. */
export function readStampMs({ stamps, stampUnitMs }: Page, slot: number): number {
  return Math.round((stamps?.[slot] ?? NaN) * stampUnitMs);
}

/** Whether a value with this instant is taken: it is not the same one again, and its instant is plausible. */
export function isNewStamp(stampMs: number, lastMs: number, nowMs: number): boolean {
  return !(stampMs <= lastMs || stampMs < 0 || stampMs > nowMs + maxFutureMs);
}

/**
 * The row of a page divided by the instants that the page gives for its samples: one row for each. A sample with the
 * instant of the page before is the same one again.
 */
export function groupByStamp(row: Table, columns: readonly Column[], page: Page): readonly Table[] {
  const nowMs = Number(page.at / 1_000_000n);
  const groups = new Map<number, number[]>();
  for (const [i, column] of columns.entries()) {
    const stampMs = readStampMs(page, column.description.slot);
    if (!isNewStamp(stampMs, column.stampMs, nowMs)) continue;
    column.stampMs = stampMs;
    findOrAdd(groups, stampMs, () => []).push(i);
  }
  const ascending = [...groups].toSorted(([a], [b]) => a - b);
  return ascending.map(([stampMs, indexes]) => {
    const at = Number.isNaN(stampMs) ? page.at : BigInt(stampMs) * 1_000_000n;
    const values = Float64Array.from(indexes, (i) => row.values[i]);
    return createRow(
      indexes.flatMap((i) => row.series[i] ?? []),
      at,
      values,
    );
  });
}
