import { elementAt } from '../../src/element.js';
import { listEnds } from '../../src/sql/known-series.js';
import { createSeriesRow, seriesColumns, type Cell, type ColumnKind } from '../../src/sql/layout.js';
import { decodeSeries, type SeriesRecord } from '../../src/sql/series-record.js';
import type { SqlRequest } from '../../src/sql/sql-request.js';

// https://clickhouse.com/docs/interfaces/formats/RowBinary

/** Two 8-byte integers, a byte that is 1 if the value is NULL, and the value unless NULL. */
const rowBytes = 8 + 8 + 1 + 8;

/** The points of a request as RowBinary rows (series_id, time, value), after the text `head`. */
export function encodeRows(head: string, { points, times, values, indexes, series }: SqlRequest): Buffer {
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headBytes + points * rowBytes);
  bytes.write(head);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const ids = BigInt64Array.from(series, ({ id }) => id);
  let at = headBytes;
  for (let i = 0; i < points; i++) {
    const value = elementAt(values, i);
    const isGap = Number.isNaN(value);
    view.setBigInt64(at, elementAt(ids, elementAt(indexes, i)), true);
    view.setBigInt64(at + 8, elementAt(times, i), true);
    view.setUint8(at + 16, isGap ? 1 : 0);
    if (!isGap) view.setFloat64(at + 17, value, true);
    at += isGap ? 17 : rowBytes;
  }
  return bytes.subarray(0, at);
}

/**
 * Rows of the series table: series that the server may lack, and ended series, which replace their earlier
 * rows.
 * @param version of two rows of one series, the server keeps the one with the greater version
 */
export function encodeSeriesRows(
  unknown: readonly SeriesRecord[],
  request: SqlRequest,
  version: bigint,
): string {
  const ends = new Map(listEnds(request).map(({ id, at }) => [id, at]));
  const ended = request.series.filter(({ id }) => ends.has(id)).map(decodeSeries);
  const begun = unknown.filter(({ id }) => !ends.has(id));
  const lines = [...begun, ...ended].map((record) => rowText(record, ends.get(record.id), version));
  return lines.join('');
}

function rowText(record: SeriesRecord, end: bigint | undefined, version: bigint): string {
  const cells = createSeriesRow(record);
  const fields = seriesColumns.map(({ name, kind }, i) => {
    const cell = name === 'end_time' ? (end ?? null) : (cells[i] ?? null);
    return `"${name}":${cellText(cell, kind)}`;
  });
  return `{${fields.join(',')},"version":${version}}\n`;
}

/** Instants are decimal seconds. */
function cellText(cell: Cell, kind: ColumnKind): string {
  if (typeof cell !== 'bigint') return JSON.stringify(cell);
  if (kind !== 'time') return `${cell}`;
  const digits = `${cell}`.padStart(10, '0');
  return `"${digits.slice(0, -9)}.${digits.slice(-9)}"`;
}
