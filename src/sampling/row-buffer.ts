import type { Consumer } from '../component/consumer.js';
import type { WallAnchor } from '../linux/clock.js';
import { originSecond, readMonotonic, stampMonotonic, type Instant } from '../linux/clocks.js';
import type { Series } from '../model/series.js';
import { copyLastRow, selectRows, type Table } from '../model/table.js';

/** Rows in the layout of a table. */
export interface Rows {
  readonly epoch: bigint;
  readonly offsets: Float64Array<ArrayBuffer>;
  readonly values: Float64Array<ArrayBuffer>;
}

type Room = Omit<Rows, 'epoch'>;

/** 1 MiB, so that a fast sampler with rare flushes does not hold more. */
const maxDoubles = 131_072;

/** Buffer for the rows of one flush, filled in place and transferred without copying. */
export class RowBuffer {
  readonly width: number;
  /** Row-major, as in a table. The next row is written at `valuesAt`. */
  values: Float64Array<ArrayBuffer>;
  readonly #room: number;
  readonly #first: Instant = { seconds: 0, nanoseconds: 0 };
  /** Nanoseconds of CLOCK_MONOTONIC after the first row. */
  #offsets: Float64Array<ArrayBuffer>;
  /** Replacement for the values and offsets that are taken, if it was allocated in advance. */
  #spare: Room | undefined;
  #length = 0;

  constructor(width: number, wantedRows: number) {
    this.width = width;
    this.#room = Math.max(2, Math.min(wantedRows, Math.floor(maxDoubles / (width + 1))));
    const { values, offsets } = this.#createRoom();
    this.values = values;
    this.#offsets = offsets;
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.#room;
  }

  /** The index in `values` of the next row. */
  get valuesAt(): number {
    return this.#length * this.width;
  }

  /** Adds the values that were written as a row of the current instant. */
  add(): void {
    if (this.#length === 0) readMonotonic(this.#first);
    else stampMonotonic(this.#offsets, this.#length, this.#first);
    this.#length++;
  }

  /** When the last row was read, in nanoseconds after `originSecond`. */
  lastNs(): number {
    const { seconds, nanoseconds } = this.#first;
    return (seconds - originSecond) * 1e9 + nanoseconds + this.#offsets[this.#length - 1];
  }

  /** Allocates buffers for the rows after the next `take`, which then needs a tenth of the time. */
  prepare(): void {
    this.#spare ??= this.#createRoom();
  }

  /**
   * Takes all rows, at least one, not as copies but in buffers that can be transferred. They are replaced by
   * others, whose memory the kernel provides page by page as they fill.
   */
  take(anchor: WallAnchor): Rows {
    const rows = {
      offsets: this.#offsets.subarray(0, this.#length),
      values: this.values.subarray(0, this.valuesAt),
    };
    const epoch = toWallTime(this.#first, rows.offsets, anchor);
    const { values, offsets } = this.#spare ?? this.#createRoom();
    this.#spare = undefined;
    this.values = values;
    this.#offsets = offsets;
    this.#length = 0;
    return { epoch, ...rows };
  }

  #createRoom(): Room {
    return { values: new Float64Array(this.#room * this.width), offsets: new Float64Array(this.#room) };
  }

  /** Takes all rows except the last; there must be at least two. */
  takeBeforeLast(anchor: WallAnchor): Rows {
    const lastNs = this.lastNs();
    this.#length--;
    const lastValues = this.values.slice(this.valuesAt, this.valuesAt + this.width);
    const rows = this.take(anchor);
    this.values.set(lastValues);
    const seconds = Math.floor(lastNs / 1e9);
    this.#first.seconds = originSecond + seconds;
    this.#first.nanoseconds = lastNs - seconds * 1e9;
    this.#length = 1;
    return rows;
  }
}

/** @returns the wall time of the first row; the offsets change only if the wall clock is being corrected */
function toWallTime({ seconds, nanoseconds }: Instant, offsets: Float64Array, anchor: WallAnchor): bigint {
  const firstNs = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const epoch = anchor.wallNs(firstNs);
  if (anchor.isConstant) return epoch;
  for (let row = 1; row < offsets.length; row++) {
    offsets[row] = Number(anchor.wallNs(firstNs + BigInt(offsets[row])) - epoch);
  }
  return epoch;
}

/**
 * Forwards one row per interval, for samplers that must read more often than rows are needed; otherwise every
 * row. Counters are cumulative, so the rows in between lose nothing; the last row of series that end, and the
 * last one before a shutdown, is always forwarded.
 */
export class RowThinner implements Consumer {
  readonly #next: Consumer;
  #intervalNs: number;
  #slackNs: number;
  #series: readonly Series[] | undefined;
  #dueNs = 0;
  #originNs = 0n;
  /** The last row, if it was not forwarded. */
  #held: Table | undefined;

  /**
   * @param intervalNs time between two forwarded rows
   * @param periodNs time between two incoming rows
   */
  constructor(next: Consumer, intervalNs: number, periodNs: number) {
    this.#next = next;
    this.#intervalNs = intervalNs;
    this.#slackNs = periodNs / 2;
  }

  /** Sets other times between rows, effective from the next table on. */
  setTimes(intervalNs: number, periodNs: number): void {
    this.#intervalNs = intervalNs;
    this.#slackNs = periodNs / 2;
    this.#series = undefined;
  }

  consume(table: Table): boolean {
    const isEveryRowWanted = this.#intervalNs < 3 * this.#slackNs;
    if (isEveryRowWanted) {
      const isReleased = this.release();
      return this.#next.consume(table) && isReleased;
    }
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
