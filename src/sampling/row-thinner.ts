import type { Consumer } from '../component/consumer.js';
import type { Series } from '../model/series.js';
import { copyLastRow, selectRows, type Table } from '../model/table.js';

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
  /** The last row, where it was not forwarded. */
  #held: Table | undefined;

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
    this.#held = rows.at(-1) === table.offsets.length - 1 ? undefined : copyLastRow(table);
    if (rows.length === 0 && table.ended === undefined) return isTaken;
    return this.#next.consume({ ...table, ...selectRows(table, rows) }) && isTaken;
  }

  /** Forwards the last row. */
  release(): boolean {
    const held = this.#held;
    this.#held = undefined;
    return held === undefined || this.#next.consume(held);
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
}
