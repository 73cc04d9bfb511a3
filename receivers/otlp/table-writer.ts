import type { Consumer } from '../../src/component/consumer.js';
import type { Table } from '../../src/model/table.js';
import { TableAssembler } from '../../src/recording/decoder.js';
import { isBefore, joinHalves, type LiveSeries } from './live-series.js';
import type { Rejections } from './rejections.js';
import type { Row, Rows } from './rows.js';
import type { SeriesRegistry } from './series-registry.js';

/** Points between two moments at which others may run. */
const pointsAtATime = 4000;

/** What series were before points that may still be refused, in the order of these points. An object each would be slow. */
class UndoLog {
  readonly #series: LiveSeries[] = [];
  readonly #high: number[] = [];
  readonly #low: number[] = [];
  readonly #last: number[] = [];

  get length(): number {
    return this.#series.length;
  }

  add(one: LiveSeries): void {
    this.#series.push(one);
    this.#high.push(one.high);
    this.#low.push(one.low);
    this.#last.push(one.last);
  }

  /** Forgets the first points: they have been taken. */
  forget(count: number): void {
    for (const list of [this.#series, this.#high, this.#low, this.#last]) list.splice(0, count);
  }

  /** Makes every series what it was before the first of these points, and forgets them. */
  takeBack(): void {
    for (let i = this.length - 1; i >= 0; i -= 1) {
      const one = this.#series[i];
      one.high = this.#high[i];
      one.low = this.#low[i];
      one.last = this.#last[i];
    }
    this.forget(this.length);
  }
}

/** Forwards rows of points as tables, with deltas added up and resets as new series. */
export class TableWriter {
  readonly #registry: SeriesRegistry;
  readonly #next: Consumer;
  readonly #assembler = new TableAssembler((table) => this.#forward(table));
  /** Of the points that wait. */
  readonly #undo = new UndoLog();
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
    try {
      yield* this.#writeRows(rows, rejections);
      this.#rowFrom = this.#undo.length;
      if (!this.#isRefused) this.#assembler.flush();
    } finally {
      this.#takeBack();
    }
    return !this.#isRefused;
  }

  *#writeRows(rows: Rows, rejections: Rejections): Generator<void> {
    let unwritten = pointsAtATime;
    for (const row of rows.list()) {
      this.#writeRow(row, rejections);
      if (this.#isRefused) return;
      unwritten -= row.series.length;
      if (unwritten > 0) continue;
      unwritten = pointsAtATime;
      yield;
    }
  }

  #writeRow({ high, low, series, values }: Row, rejections: Rejections): void {
    const at = joinHalves(high, low);
    const [kept, keptValues]: [LiveSeries['series'][], number[]] = [[], []];
    this.#rowFrom = this.#undo.length;
    for (let i = 0; i < series.length; i += 1) {
      const one = findCurrent(series[i]);
      inheritTime(one);
      const isReset = hasFallen(one, values[i]);
      // What was replaced in this very request, and is reset in it as well, is of two senders.
      if (one.isOver || (isReset && one.isReplaced)) {
        rejections.add('older_start', 1, one.node.name);
        continue;
      }
      if (!isBefore(one.high, one.low, high, low)) {
        // What is sent again after an answer was lost has been taken already.
        if (one.high !== high || one.low !== low) rejections.add('older', 1, one.node.name);
        continue;
      }
      this.#begin(one, at);
      const current = isReset ? this.#reset(one, at) : one;
      this.#advance(current, high, low, values[i]);
      kept.push(current.series);
      keptValues.push(Number.isNaN(values[i]) ? NaN : current.last);
    }
    this.#assembler.addRow(kept, at, keptValues);
  }

  /** Ends what a series takes the place of. */
  #begin(one: LiveSeries, at: bigint): void {
    for (let old = one.replaces; old !== undefined; old = old.replaces) {
      if (old.isBegun && !old.isOver) this.#assembler.end(old.series, at);
      old.isOver = true;
    }
    one.replaces = undefined;
  }

  #advance(one: LiveSeries, high: number, low: number, value: number): void {
    this.#undo.add(one);
    one.high = high;
    one.low = low;
    one.isBegun = true;
    if (!Number.isNaN(value)) one.last = one.node.isDelta ? one.last + value : value;
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
    inheritTime(added);
    this.#begin(added, at);
    return added;
  }

  #forward(table: Table): void {
    // What ended has ended, whether or not a consumer has room.
    if (table.values.length === 0) {
      this.#next.consume(table);
      return;
    }
    this.#isRefused ||= !this.#next.consume(table);
    if (this.#isRefused) return;
    this.#undo.forget(this.#rowFrom);
    this.#rowFrom = 0;
  }

  /** Takes back what was not taken: nothing, unless a table was refused. */
  #takeBack(): void {
    this.#undo.takeBack();
    this.#assembler.dropRows();
  }
}

function hasFallen({ node, last }: LiveSeries, value: number): boolean {
  return value < last && node.kind === 'counter' && !node.isDelta;
}

/** The series that a point belongs to after resets that its sender did not announce. */
function findCurrent(sent: LiveSeries): LiveSeries {
  let one = sent;
  while (one.successor !== undefined) one = one.successor;
  return one;
}

/** A series goes on in time where the one ended whose place it is to take. */
function inheritTime(one: LiveSeries): void {
  for (let old = one.replaces; old !== undefined; old = old.replaces) {
    if (!isBefore(one.high, one.low, old.high, old.low)) continue;
    one.high = old.high;
    one.low = old.low;
  }
}
