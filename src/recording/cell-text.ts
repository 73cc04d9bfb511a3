import { HistogramRow, HistogramRows, type HistogramTable } from '../model/histogram-table.js';
import type { HistogramSeries, Series } from '../model/series.js';
import type { Table } from '../model/table.js';
import { emptyLayouts } from './histogram-columns.js';

/** The value of the column `state` in CSV and Parquet for series without further rows. */
export const endedState = 'ended';

/** A row without values of the series that ended, at the instant of the last row. */
export function createEndRow({ epoch, offsets }: Table, ended: readonly Series[]): Table {
  const values = new Float64Array(ended.length).fill(NaN);
  return { series: ended, epoch: epoch + BigInt(offsets.at(-1) ?? 0), offsets: new Float64Array(1), values };
}

/** The same for histograms, at the latest instant of the table. */
export function createHistogramEndRows(
  { epoch, offsets }: HistogramTable,
  ended: readonly HistogramSeries[],
): HistogramTable {
  const rows = new HistogramRows();
  const row = new HistogramRow();
  for (const series of ended) rows.add(series, 0, row.clear(emptyLayouts[series.metric.kind]));
  return rows.take(epoch + BigInt(offsets.reduce((latest, one) => Math.max(latest, one), 0)));
}

const minInt64 = -(2 ** 63);
/** The largest double below 2^63. */
const maxInt64 = 2 ** 63 - 1024;

/** The shortest decimal text that parses to the same double, with exponents in Go's format. */
export function doubleText(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value);
  const hasSmallExponent = value < 1e-6 && value > -1e-6 && text.at(-3) === 'e';
  return hasSmallExponent ? `${text.slice(0, -1)}0${text.at(-1)}` : text;
}

/** The nearest whole number within 64 bits, in plain digits. */
export function intText(value: number): string {
  const whole = Math.max(minInt64, Math.min(maxInt64, Math.round(value)));
  // Beyond 2^53 a double may print with zeros or an exponent in place of its last digits.
  return Number.isSafeInteger(whole) ? String(whole + 0) : BigInt(whole).toString();
}

/** A whole number that is not negative, in plain digits. */
export function countText(value: number): string {
  return Number.isSafeInteger(value) ? String(value) : BigInt(value).toString();
}

const nsPerSecond = 1_000_000_000n;

/** The instant in RFC 3339 with nine digits and Z, for example `2026-01-02T03:04:05.678901234Z`. */
export function timeText(unixNs: bigint): string {
  const fraction = BigInt.asUintN(64, ((unixNs % nsPerSecond) + nsPerSecond) % nsPerSecond);
  const seconds = (unixNs - fraction) / nsPerSecond;
  return `${secondsText(Number(seconds))}.${fraction.toString().padStart(9, '0')}Z`;
}

let lastSeconds = NaN;
let lastText = '';

/** Most instants in a file are of the same second as the previous one. */
function secondsText(seconds: number): string {
  if (seconds !== lastSeconds) {
    lastText = new Date(seconds * 1000).toISOString().slice(0, -5);
    lastSeconds = seconds;
  }
  return lastText;
}

const pattern = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)$/u;

/** Parses an instant in RFC 3339 to Unix time in nanoseconds; undefined if it is invalid, or exceeds 64 bits. */
export function parseTime(text: string): bigint | undefined {
  const [, date, fraction = '', zone] = pattern.exec(text) ?? [];
  if (date === undefined) return undefined;
  const ms = Date.parse(`${date.replace(' ', 'T')}${zone}`.toUpperCase());
  if (Number.isNaN(ms)) return undefined;
  const ns = BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
  return ns === BigInt.asIntN(64, ns) ? ns : undefined;
}
