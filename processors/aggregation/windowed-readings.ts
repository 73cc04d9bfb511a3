import type { Resource, Series } from '../../src/model/series.js';
import type { Table } from '../../src/model/table.js';
import { Counters, type Row } from './counters.js';
import { OpenWindows } from './open-windows.js';
import type { OutputRows } from './output-rows.js';
import { Sources, type GaugeColumns, type Plan } from './sources.js';
import { Targets, writeOutputs, type Rule, type Target } from './targets.js';
import { count, greatest, latest, latestAt, least, OpenWindow, sum, width } from './window.js';

export interface ReadingOptions {
  /** By metric name. */
  readonly rules: ReadonlyMap<string, Rule>;
  readonly host: Resource;
  readonly intervalNs: number;
  readonly lagNs: number;
  readonly maxReadings: number;
  readonly rows: OutputRows;
  /** Called for readings of windows that have been forwarded. */
  onLate(): void;
}

/** Maximum number of open windows, however long the lag. */
const maxOpen = 1000;

/** Contains no instant. */
const noWindow = new OpenWindow();

/** The readings of windows that have not been forwarded. Times are nanoseconds after an epoch. */
export class WindowedReadings {
  readonly #options: ReadingOptions;
  readonly #lagNs: number;
  readonly #targets: Targets;
  readonly #windows: OpenWindows;
  readonly #counters: Counters;
  readonly #sources: Sources;
  /** Whether an open window has readings of a target. */
  readonly #isOpen = ({ slot }: Target): boolean => this.#windows.list.some((window) => window.has(slot));
  readonly #row: Row = {
    instant: new Float64Array(1),
    values: new Float64Array(0),
    cell: 0,
    window: noWindow,
  };
  /** Unix time in nanoseconds of time 0, a multiple of the interval. */
  #epoch: bigint | undefined;
  /** Time of the first row: earlier counts of counters are not aggregated. */
  #firstAt = NaN;
  #newest = -Infinity;

  constructor(options: ReadingOptions) {
    const { intervalNs, lagNs, maxReadings, host } = options;
    this.#options = options;
    this.#lagNs = Math.min(lagNs, maxOpen * intervalNs);
    this.#targets = new Targets(host);
    const lagWindows = Math.ceil(this.#lagNs / intervalNs) + 1;
    this.#windows = new OpenWindows({ intervalNs, lagWindows, countSlots: () => this.#targets.slots });
    this.#counters = new Counters(this.#windows, maxReadings);
    this.#sources = new Sources({
      rules: options.rules,
      targets: this.#targets,
      windows: this.#windows,
      counters: this.#counters,
      countsFrom: (series) => this.#countsFrom(series),
    });
  }

  /** Whether all recent readings are in later windows than the start of a table: the clock was set back. */
  areAhead({ epoch, offsets }: Table): boolean {
    if (this.#epoch === undefined || offsets.length === 0) return false;
    const openAt = (this.#windows.first - 1) * this.#windows.intervalNs;
    if (Number(epoch - this.#epoch) + (offsets[0] ?? 0) > openAt) return false;
    return [...this.#sources.feeds].every(({ lastAt }) => lastAt <= openAt);
  }

  /** Takes the rows of a table, and forwards completed windows. */
  read(table: Table): void {
    if (table.offsets.length === 0) return;
    this.#epoch ??= table.epoch - (table.epoch % BigInt(this.#windows.intervalNs));
    const shift = Number(table.epoch - this.#epoch);
    if (Number.isNaN(this.#firstAt)) this.#firstAt = shift + table.offsets[0];
    const plan = this.#sources.planOf(table.series);
    if (plan.sources.length === 0) return;
    this.#readRows(table, plan, shift);
    this.#forwardComplete();
  }

  /** A series has no further rows. */
  end(series: Series): void {
    this.#sources.end(series);
  }

  /** Forwards all windows, an incomplete one with the time of its last row, and what has ended. */
  finish(): void {
    const { rows } = this.#options;
    this.#sources.endAll();
    this.#forwardUntil(Infinity);
    this.forwardEnded();
    rows.forward();
  }

  /** Forwards which targets have ended and are in no open window. */
  forwardEnded(): void {
    if (this.#epoch === undefined) return;
    const ended = this.#sources.takeEnded(this.#isOpen);
    if (ended.length > 0) this.#options.rows.end(ended, this.#epoch + BigInt(this.#newest));
  }

  /** What a counter counted before the first row is not aggregated. */
  #countsFrom({ start }: Series): number {
    const startAt = Number(start - (this.#epoch ?? start));
    return startAt >= this.#firstAt ? startAt : NaN;
  }

  #readRows({ offsets, values, series }: Table, { feed, gauges, counters }: Plan, shift: number): void {
    const row = this.#row;
    row.values = values;
    row.window = noWindow;
    for (let i = 0; i < offsets.length; i++) {
      const at = shift + offsets[i];
      if (at <= feed.lastAt) continue;
      feed.lastAt = at;
      row.instant[0] = at;
      row.cell = i * series.length;
      if (at > this.#newest) this.#newest = at;
      const isOther = at > row.window.endAt || at <= row.window.startAt;
      if (isOther) row.window = this.#windows.findAt(row.instant);
      if (at > row.window.startAt) this.#readGauges(gauges);
      else if (gauges.columns.length > 0) this.#options.onLate();
      this.#counters.read(counters, row);
      if (isOther) this.#forwardUntil(this.#newest - this.#lagNs);
    }
  }

  #readGauges({ columns, slots, areKept, histograms: counting }: GaugeColumns): void {
    const { values, cell, window, instant } = this.#row;
    const { cells } = window;
    const at = instant[0];
    for (let i = 0; i < columns.length; i++) {
      const value = values[cell + columns[i]];
      if (Number.isNaN(value)) continue;
      const slot = slots[i];
      const first = slot * width;
      cells[first + count] += 1;
      cells[first + sum] += value;
      if (!(cells[first + least] <= value)) cells[first + least] = value;
      if (!(cells[first + greatest] >= value)) cells[first + greatest] = value;
      if (!(cells[first + latestAt] > at)) {
        cells[first + latest] = value;
        cells[first + latestAt] = at;
      }
      if (areKept[i] === 1) {
        window.readingsOf(slot, this.#options.maxReadings).add(values, cell + columns[i]);
      }
      counting[i]?.count(slot, window, values, cell + columns[i]);
    }
  }

  /** Forwards windows for which no further reading is expected, or whose lag has passed. */
  #forwardComplete(): void {
    let passedAt = this.#sources.feeds.size === 0 ? this.#newest : Infinity;
    for (const { lastAt } of this.#sources.feeds) passedAt = Math.min(passedAt, lastAt);
    this.#forwardUntil(Math.max(passedAt, this.#newest - this.#lagNs));
    this.#options.rows.forward();
  }

  #forwardUntil(instant: number): void {
    let window = this.#windows.takeBefore(instant);
    while (window !== undefined) {
      this.#forward(window);
      if (window === this.#row.window) this.#row.window = noWindow;
      this.#windows.recycle(window);
      window = this.#windows.takeBefore(instant);
    }
  }

  #forward(window: OpenWindow): void {
    const { rows } = this.#options;
    const shown: Target[] = [];
    const output = rows.prepare(window, this.#targets.outputs);
    const epoch = this.#epoch ?? 0n;
    const at = epoch + BigInt(Math.min(window.endAt, this.#newest));
    const written = { start: epoch + BigInt(window.startAt), at, rows: rows.histograms };
    for (const target of this.#targets.all) {
      if (!window.has(target.slot)) continue;
      writeOutputs(target, output);
      target.histograms?.write(target.slot, window, written);
      if (target.outputs.length === 0) continue;
      target.isShown = true;
      shown.push(target);
    }
    rows.add(at, shown);
  }
}
