import { findOrAdd } from '../../src/model/plan.js';
import { createRow, type Table } from '../../src/model/table.js';
import type { Column, Page } from './column.js';

/** As in Prometheus: timestamps further in the future come from a wrong clock. */
const maxFutureMs = 600_000;

/** The page's timestamp of a slot's value, in Unix milliseconds; NaN: none. */
export function readStampMs({ stamps, stampUnitMs }: Page, slot: number): number {
  return Math.round((stamps?.[slot] ?? NaN) * stampUnitMs);
}

/** Whether a value with this timestamp is accepted: it is new and plausible. */
export function isNewStamp(stampMs: number, lastMs: number, nowMs: number): boolean {
  return !(stampMs <= lastMs || stampMs < 0 || stampMs > nowMs + maxFutureMs);
}

/**
 * Groups the row of a page by the page's timestamps of its samples: one row for each. A sample with the same
 * timestamp as on the previous page is a repetition.
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
