import type { Attributes, MetricKind, Series } from './series.js';
import { createRow, type Table } from './table.js';

/** A series with equal but separate metric and resource each time. */
export function seriesOf(kind: MetricKind, attributes: Attributes, start = 0n): Series {
  const metric = { name: `test.${kind}`, unit: 'J', description: '', kind, valueType: 'double' } as const;
  return { metric, resource: { attributes: {} }, attributes, start };
}

/** A table with one row, at a Unix time in nanoseconds. */
export function rowAt(series: readonly Series[], at: number, values: readonly number[]): Table {
  return createRow(series, BigInt(at), Float64Array.from(values));
}
