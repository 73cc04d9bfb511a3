import type { Series } from '../../src/model/series.js';
import { findLatestRow, readValue, type Table } from '../../src/model/table.js';
import { ExactSource } from './exact-source.js';
import { createPowerTables, PowerPoints, type MeteredSource } from './metered-source.js';

/** An energy column of a table. */
export interface PowerColumn<Source> {
  /** Its index in a row. */
  readonly index: number;
  readonly source: Source;
}

export type PowerSource = ExactSource | MeteredSource;

/** A table and the times of its windows in nanoseconds. */
interface Frame {
  readonly table: Table;
  /** Time of the table's epoch; windows end at multiples of their length. */
  readonly shiftNs: number;
  readonly windowNs: number;
}

/** The energy columns of tables with the same array of series. Their windows end at the same instants. */
export class PowerColumns {
  readonly #sources: readonly PowerSource[];
  readonly #exact: readonly PowerColumn<ExactSource>[];
  readonly #exactSeries: readonly Series[];
  readonly #metered: readonly (PowerColumn<MeteredSource> & { readonly series: readonly Series[] })[];
  readonly #meteredSeries: readonly Series[];

  constructor(columns: readonly PowerColumn<PowerSource>[]) {
    this.#sources = columns.map(({ source }) => source);
    this.#exact = columns.flatMap(({ index, source }) =>
      source instanceof ExactSource ? [{ index, source }] : [],
    );
    this.#exactSeries = this.#exact.map(({ source }) => source.series);
    this.#metered = columns.flatMap(({ index, source }) =>
      source instanceof ExactSource ? [] : [{ index, source, series: [source.series] }],
    );
    this.#meteredSeries = this.#metered.map(({ source }) => source.series);
  }

  /** Rows of watts, one for each window that ends in this table. */
  derive(frame: Frame): readonly Table[] {
    const { offsets } = frame.table;
    if (this.#sources.length === 0 || offsets.length === 0) return [];
    this.#begin(frame);
    const rows = this.#findRows(frame);
    const metered = this.#readMetered(frame, rows);
    const exact = rows.length === 0 || this.#exact.length === 0 ? [] : [this.#readExact(frame, rows)];
    this.#noteLast(frame);
    return [...exact, ...metered];
  }

  /** Counters whose start is not known count from this reading on. */
  #begin({ table: { offsets, values }, shiftNs, windowNs }: Frame): void {
    const at = shiftNs + offsets[0];
    for (const { index, source } of this.#exact) {
      if (Number.isNaN(source.window)) source.begin(at, values[index]);
    }
    for (const source of this.#sources) {
      if (!Number.isNaN(source.window)) continue;
      source.window = Math.floor(at / windowNs);
      source.seenAt = at;
    }
  }

  /** The first reading after the end of each window, or each reading if they are about as far apart as windows. */
  #findRows({ table: { offsets }, shiftNs, windowNs }: Frame): number[] {
    const rows: number[] = [];
    let { window, seenAt } = this.#findOldest();
    for (let row = 0; row < offsets.length; row++) {
      const at = shiftNs + offsets[row];
      const spacingNs = at - seenAt;
      seenAt = at;
      // Readings for the end of a window may be slightly early.
      const current = Math.floor((at + spacingNs / 4) / windowNs);
      if (current <= window && spacingNs < 0.75 * windowNs) continue;
      rows.push(row);
      window = current;
    }
    for (const source of this.#sources) {
      source.window = window;
      source.seenAt = seenAt;
    }
    return rows;
  }

  #findOldest(): { window: number; seenAt: number } {
    let window = Infinity;
    let seenAt = Infinity;
    for (const source of this.#sources) {
      window = Math.min(window, source.window);
      seenAt = Math.min(seenAt, source.seenAt);
    }
    return { window, seenAt };
  }

  #readExact({ table, shiftNs }: Frame, rows: readonly number[]): Table {
    const { epoch } = table;
    const watts = rows.flatMap((row) => {
      const at = shiftNs + table.offsets[row];
      return this.#exact.map(({ index, source }) => source.read(at, readValue(table, row, index)));
    });
    const offsets = Float64Array.from(rows, (row) => table.offsets[row]);
    return { series: this.#exactSeries, epoch, offsets, values: Float64Array.from(watts) };
  }

  /** A counter may end before its window does. */
  #noteLast({ table, shiftNs }: Frame): void {
    for (const { index, source } of this.#exact) {
      const row = Math.max(0, findLatestRow(table, index));
      source.note(shiftNs + table.offsets[row], readValue(table, row, index));
    }
  }

  #readMetered(frame: Frame, rows: readonly number[]): readonly Table[] {
    if (this.#metered.length === 0) return [];
    const gauges = this.#metered.map(({ series, ...column }) => {
      return { series, points: readColumn(frame, column, rows) };
    });
    const { table, shiftNs } = frame;
    return createPowerTables(this.#meteredSeries, gauges, (at) => table.epoch + BigInt(at - shiftNs));
  }
}

/** Every reading counts: changes show how slow the meter is. */
function readColumn(
  { table, shiftNs }: Frame,
  { index, source }: PowerColumn<MeteredSource>,
  rows: readonly number[],
): PowerPoints {
  const points = new PowerPoints();
  const reading = new Float64Array(2);
  let ends = 0;
  for (let row = 0; row < table.offsets.length; row++) {
    reading[0] = shiftNs + table.offsets[row];
    reading[1] = readValue(table, row, index);
    if (row === rows[ends]) {
      source.expect(reading[0], reading[1], points);
      ends += 1;
    }
    source.read(reading, points);
  }
  return points;
}
