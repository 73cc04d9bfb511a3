import type { Consumer } from '../component/consumer.js';
import type { Series } from '../model/series.js';
import { createRow, type Table } from '../model/table.js';

/** The last row that was not forwarded. */
interface HeldRow {
  readonly series: readonly Series[];
  readonly at: bigint;
  readonly values: Float64Array;
}

/**
 * Forwards one row per interval, for samplers that must read more often than rows are wanted. Counters are cumulative,
 * so that what lies between is not lost; the last row of series that end, and that before a shutdown, is always
 * forwarded.
 */
export class RowThinner implements Consumer {
  readonly #next: Consumer;
  readonly #intervalNs: number;
  readonly #slackNs: number;
  #series: readonly Series[] | undefined;
  #dueNs = 0;
  #originNs = 0n;
  #held: HeldRow | undefined;

  /**
   * @param intervalNs time between two rows
   * @param periodNs time between two rows that arrive
   */
  constructor(next: Consumer, intervalNs: number, periodNs: number) {
    this.#next = next;
    this.#intervalNs = intervalNs;
    this.#slackNs = periodNs / 2;
  }

  consume(table: Table): boolean {
    const isNew = table.series !== this.#series;
    const isTaken = !isNew || this.release();
    if (isNew) this.#begin(table);
    if (table.offsets.length === 0) return this.#next.consume(table) && isTaken;
    const rows = [...table.offsets.keys()].filter((row) => this.#isDue(table, row));
    this.#hold(table, rows);
    if (rows.length === 0 && table.ended === undefined) return isTaken;
    return this.#next.consume(keepRows(table, rows)) && isTaken;
  }

  /** Forwards the last row. */
  release(): boolean {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined || this.#next.consume(createRow(held.series, held.at, held.values));
  }

  #begin({ series, epoch }: Table): void {
    this.#series = series;
    this.#originNs = epoch;
    this.#dueNs = 0;
  }

  #isDue({ epoch, offsets }: Table, row: number): boolean {
    const ns = Number(epoch - this.#originNs) + offsets[row];
    if (ns < this.#dueNs - this.#slackNs) return false;
    const intervals = Math.max(1, Math.floor((ns + this.#slackNs - this.#dueNs) / this.#intervalNs) + 1);
    this.#dueNs += intervals * this.#intervalNs;
    return true;
  }

  #hold({ series, epoch, offsets, values }: Table, rows: readonly number[]): void {
    const last = offsets.length - 1;
    this.#held =
      rows.at(-1) === last
        ? undefined
        : { series, at: epoch + BigInt(offsets[last]), values: values.slice(last * series.length) };
  }
}

function keepRows(table: Table, rows: readonly number[]): Table {
  const width = table.series.length;
  const values = new Float64Array(rows.length * width);
  for (const [to, row] of rows.entries()) {
    values.set(table.values.subarray(row * width, (row + 1) * width), to * width);
  }
  return { ...table, offsets: Float64Array.from(rows, (row) => table.offsets[row]), values };
}
