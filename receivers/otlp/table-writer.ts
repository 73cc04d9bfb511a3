import type { Consumer } from '../../src/component/consumer.js';
import type { Table } from '../../src/model/table.js';
import { TableAssembler } from '../../src/recording/decoder.js';
import { isBefore, joinHalves, type LiveSeries } from './live-series.js';
import type { Rejections } from './rejections.js';
import type { Row, Rows } from './rows.js';
import type { SeriesRegistry } from './series-registry.js';

/** Points between two moments at which others may run. */
const pointsAtATime = 4000;

/** What a series was before a point, in case that the point is refused. */
interface Before {
  readonly one: LiveSeries;
  readonly high: number;
  readonly low: number;
  readonly last: number;
}

/** Forwards rows of points as tables, with deltas added up and resets as new series. */
export class TableWriter {
  readonly #registry: SeriesRegistry;
  readonly #next: Consumer;
  readonly #assembler = new TableAssembler((table) => this.#forward(table));
  /** Of the points that wait, in their order. */
  #undo: Before[] = [];
  /** How many of them are of rows before the one that is being made. */
  #rowFrom = 0;
  #isRefused = false;

  constructor(registry: SeriesRegistry, next: Consumer) {
    this.#registry = registry;
    this.#next = next;
  }

  /**
   * Forwards the points of a request. The caller may let others run whenever this yields.
   * @returns false when a table was refused: it and what would have followed are as if they had not been sent
   */
  *write(rows: Rows, rejections: Rejections): Generator<void, boolean> {
    this.#isRefused = false;
    let unwritten = pointsAtATime;
    for (const row of rows.list()) {
      this.#writeRow(row, rejections);
      if (this.#isRefused) break;
      unwritten -= row.series.length;
      if (unwritten > 0) continue;
      unwritten = pointsAtATime;
      yield;
    }
    this.#rowFrom = this.#undo.length;
    if (!this.#isRefused) this.#assembler.flush();
    if (this.#isRefused) this.#takeBack();
    return !this.#isRefused;
  }

  #writeRow({ high, low, series, values }: Row, rejections: Rejections): void {
    const at = joinHalves(high, low);
    const [kept, keptValues]: [LiveSeries['series'][], number[]] = [[], []];
    this.#rowFrom = this.#undo.length;
    for (let i = 0; i < series.length; i += 1) {
      const one = this.#findCurrent(series[i], at);
      if (one.isOver) {
        rejections.add('older_start', 1, one.node.name);
        continue;
      }
      if (!isBefore(one.high, one.low, high, low)) {
        // What is sent again after an answer was lost has been taken already.
        if (one.high !== high || one.low !== low) rejections.add('older', 1, one.node.name);
        continue;
      }
      const current = this.#advance(one, high, low, values[i]);
      kept.push(current.series);
      keptValues.push(Number.isNaN(values[i]) ? NaN : current.last);
    }
    this.#assembler.addRow(kept, at, keptValues);
  }

  /** The series that a point belongs to now. One that takes the place of another begins here. */
  #findCurrent(sent: LiveSeries, at: bigint): LiveSeries {
    let one = sent;
    while (one.successor !== undefined) one = one.successor;
    if (one.replaces === undefined) return one;
    for (let old: LiveSeries | undefined = one.replaces; old !== undefined; old = old.replaces) {
      if (isBefore(one.high, one.low, old.high, old.low)) {
        one.high = old.high;
        one.low = old.low;
      }
      if (old.isBegun && !old.isOver) this.#assembler.end(old.series, at);
      old.isOver = true;
    }
    one.replaces = undefined;
    return one;
  }

  /** @returns the series that has the value: another one after a reset */
  #advance(one: LiveSeries, high: number, low: number, value: number): LiveSeries {
    let current = one;
    const isCounter = one.node.kind === 'counter';
    if (isCounter && !one.node.isDelta && value < one.last) current = this.#reset(one, joinHalves(high, low));
    this.#undo.push({ one: current, high: current.high, low: current.low, last: current.last });
    current.high = high;
    current.low = low;
    current.isBegun = true;
    if (!Number.isNaN(value)) current.last = one.node.isDelta ? current.last + value : value;
    return current;
  }

  /** A counter that fell was reset after its last point at the earliest. */
  #reset(one: LiveSeries, at: bigint): LiveSeries {
    const sent = {
      start: one.sentStart,
      time: { high: one.high, low: one.low },
      valueType: one.valueType,
    };
    const added = this.#registry.restart(one, sent, joinHalves(one.high, one.low));
    one.successor = added;
    return this.#findCurrent(added, at);
  }

  #forward(table: Table): void {
    // What ended has ended, whether or not a consumer has room.
    if (table.values.length === 0) {
      this.#next.consume(table);
      return;
    }
    this.#isRefused ||= !this.#next.consume(table);
    if (this.#isRefused) return;
    this.#undo.splice(0, this.#rowFrom);
    this.#rowFrom = 0;
  }

  #takeBack(): void {
    for (const { one, high, low, last } of this.#undo.splice(0).toReversed()) {
      one.high = high;
      one.low = low;
      one.last = last;
    }
    this.#assembler.dropRows();
  }
}
