import { passHistograms, type Consumer } from '../../src/component/consumer.js';
import { createHistogramEnding } from '../../src/model/histogram-table.js';
import type { Series } from '../../src/model/series.js';
import { createEnding } from '../../src/model/table.js';
import { HistogramOutput } from './histograms.js';
import type { OutputCells, Target } from './targets.js';
import type { OpenWindow } from './window.js';

/** The series of some targets. */
interface Columns {
  readonly targets: readonly Target[];
  readonly series: readonly Series[];
}

/** Maximum cached arrays of series: with several intervals, each window may contain other series. */
const maxKept = 8;

/** Rows of windows that will form tables. */
export class OutputRows {
  readonly histograms = new HistogramOutput();
  readonly #next: Consumer;
  #kept: Columns[] = [];
  #series: readonly Series[] = [];
  #times: bigint[] = [];
  /** The added rows, and space for the next one. */
  #values = new Float64Array(64);
  #used = 0;

  constructor(next: Consumer) {
    this.#next = next;
  }

  /** The space for the next row. @param outputs maximum number of its values */
  prepare(window: OpenWindow, outputs: number): OutputCells {
    if (this.#used + outputs > this.#values.length) {
      const larger = new Float64Array(2 * (this.#used + outputs));
      larger.set(this.#values);
      this.#values = larger;
    }
    return { window, values: this.#values, cell: this.#used };
  }

  /** Adds the row that was written. @param targets whose outputs it contains, in order */
  add(at: bigint, targets: readonly Target[]): void {
    if (targets.length === 0) return;
    const { series } = this.#find(targets);
    if (series !== this.#series) {
      const first = this.#used;
      this.forward();
      this.#values.copyWithin(0, first, first + series.length);
      this.#series = series;
    }
    this.#times.push(at);
    this.#used += series.length;
  }

  /** Forwards the added rows. */
  forward(): void {
    const histograms = this.histograms.take();
    if (histograms) passHistograms(this.#next, histograms);
    const [epoch] = this.#times;
    if (epoch === undefined) return;
    const offsets = Float64Array.from(this.#times, (at) => Number(at - epoch));
    const values = this.#values.slice(0, this.#used);
    this.#times = [];
    this.#used = 0;
    this.#next.consume({ series: this.#series, epoch, offsets, values });
  }

  /** Forwards which targets have ended. */
  end(targets: readonly Target[], at: bigint): void {
    const ended = targets.filter(({ isShown }) => isShown).flatMap(({ outputs }) => outputs);
    this.#kept = this.#kept.filter((columns) => !columns.targets.some((one) => targets.includes(one)));
    const endedHistograms = targets.flatMap(({ histograms }) => histograms?.series ?? []);
    if (ended.length === 0 && endedHistograms.length === 0) return;
    this.forward();
    if (endedHistograms.length > 0) passHistograms(this.#next, createHistogramEnding(endedHistograms, at));
    if (ended.length === 0) return;
    this.#next.consume(
      createEnding(
        ended.map(({ series }) => series),
        at,
      ),
    );
  }

  #find(targets: readonly Target[]): Columns {
    const index = this.#kept.findIndex((columns) => isSame(columns.targets, targets));
    const [found] = index < 0 ? [] : this.#kept.splice(index, 1);
    const columns = found ?? { targets, series: targets.flatMap(listSeries) };
    this.#kept = [columns, ...this.#kept.slice(0, maxKept - 1)];
    return columns;
  }
}

function listSeries({ outputs }: Target): readonly Series[] {
  return outputs.map(({ series }) => series);
}

function isSame(a: readonly Target[], b: readonly Target[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i]);
}
